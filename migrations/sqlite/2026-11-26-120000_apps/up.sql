-- The catalogue of apps, and the files that were uploaded for it, for SQLite.
CREATE TABLE app_files (
    sha256 TEXT PRIMARY KEY NOT NULL CHECK (length(sha256) = 64),
    format TEXT NOT NULL CHECK (format IN ('ipa', 'apk')),
    bytes INTEGER NOT NULL CHECK (bytes > 0),
    bundle TEXT NOT NULL,
    version TEXT NOT NULL,
    build TEXT,
    uploaded_at INTEGER NOT NULL,
    released_at INTEGER
);
CREATE INDEX app_files_released ON app_files (released_at) WHERE released_at IS NOT NULL;
CREATE TABLE apps (
    id TEXT PRIMARY KEY NOT NULL,
    platform TEXT NOT NULL CHECK (platform IN ('ipad', 'android')),
    bundle TEXT NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('store', 'in-house')),
    store_number TEXT,
    licence TEXT NOT NULL CHECK (licence IN ('free')),
    version TEXT,
    updates TEXT NOT NULL CHECK (updates IN ('automatic', 'held')),
    configuration TEXT,
    file_sha256 TEXT REFERENCES app_files (sha256),
    added_by TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    withdrawn_by TEXT,
    withdrawn_at INTEGER,
    CHECK (source = 'in-house' OR (version IS NULL AND file_sha256 IS NULL)),
    CHECK (source = 'store' OR (version IS NOT NULL AND store_number IS NULL)),
    CHECK (source = 'in-house' OR platform = 'android' OR store_number IS NOT NULL),
    CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL)),
    CHECK (withdrawn_at IS NULL OR file_sha256 IS NULL)
);
-- One app of a name is offered at a time; those withdrawn before stay beside it.
CREATE UNIQUE INDEX apps_offered ON apps (platform, bundle) WHERE withdrawn_at IS NULL;
CREATE INDEX apps_by_bundle ON apps (bundle);
CREATE INDEX apps_by_file ON apps (file_sha256) WHERE file_sha256 IS NOT NULL;
CREATE TRIGGER apps_before_insert_1 BEFORE INSERT ON apps WHEN
        EXISTS (SELECT 1 FROM apps x WHERE x.id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ardoise: an app is added once'); END;
CREATE TRIGGER apps_before_update_1 BEFORE UPDATE ON apps WHEN
        NEW.id IS NOT OLD.id OR NEW.platform IS NOT OLD.platform OR NEW.bundle IS NOT OLD.bundle OR
        NEW.source IS NOT OLD.source OR NEW.store_number IS NOT OLD.store_number OR
        NEW.added_by IS NOT OLD.added_by OR NEW.added_at IS NOT OLD.added_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: an app stays what it is (C3.1.2)'); END;
CREATE TRIGGER apps_before_update_2 BEFORE UPDATE ON apps WHEN OLD.withdrawn_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'ardoise: an app that was withdrawn stays withdrawn'); END;
CREATE TRIGGER apps_before_update_3 BEFORE UPDATE ON apps WHEN
        NEW.file_sha256 IS NOT NULL AND NEW.file_sha256 IS NOT OLD.file_sha256 AND NOT EXISTS (
        SELECT 1 FROM app_files f WHERE f.sha256 = NEW.file_sha256 AND f.bundle = NEW.bundle
        AND f.version = NEW.version AND f.format = CASE NEW.platform WHEN 'ipad' THEN 'ipa' ELSE 'apk' END)
    BEGIN SELECT RAISE(ABORT, 'ardoise: a file says the identifier and the version of its app'); END;
CREATE TRIGGER apps_before_delete_1 BEFORE DELETE ON apps WHEN
        TRUE
    BEGIN SELECT RAISE(ABORT, 'ardoise: an app is withdrawn, never deleted'); END;
CREATE TRIGGER app_files_before_update_1 BEFORE UPDATE ON app_files WHEN
        NEW.sha256 IS NOT OLD.sha256 OR NEW.format IS NOT OLD.format OR NEW.bytes IS NOT OLD.bytes OR
        NEW.bundle IS NOT OLD.bundle OR NEW.version IS NOT OLD.version OR NEW.build IS NOT OLD.build OR
        NEW.uploaded_at IS NOT OLD.uploaded_at
    BEGIN SELECT RAISE(ABORT, 'ardoise: a file is what its digest says'); END;
