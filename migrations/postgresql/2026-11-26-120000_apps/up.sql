-- The catalogue of apps, and the files that were uploaded for it, for PostgreSQL.
CREATE TABLE app_files (
    sha256 TEXT PRIMARY KEY NOT NULL CHECK (length(sha256) = 64),
    format TEXT NOT NULL CHECK (format IN ('ipa', 'apk')),
    bytes BIGINT NOT NULL CHECK (bytes > 0),
    bundle TEXT NOT NULL,
    version TEXT NOT NULL,
    build TEXT,
    uploaded_at BIGINT NOT NULL,
    released_at BIGINT
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
    added_at BIGINT NOT NULL,
    withdrawn_by TEXT,
    withdrawn_at BIGINT,
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
CREATE FUNCTION apps_before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM apps x WHERE x.id = NEW.id) THEN
        RAISE EXCEPTION 'ardoise: an app is added once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER apps_before_insert BEFORE INSERT ON apps FOR EACH ROW EXECUTE FUNCTION apps_before_insert();
CREATE FUNCTION apps_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.platform IS DISTINCT FROM OLD.platform OR
            NEW.bundle IS DISTINCT FROM OLD.bundle OR NEW.source IS DISTINCT FROM OLD.source OR
            NEW.store_number IS DISTINCT FROM OLD.store_number OR
            NEW.added_by IS DISTINCT FROM OLD.added_by OR NEW.added_at IS DISTINCT FROM OLD.added_at THEN
        RAISE EXCEPTION 'ardoise: an app stays what it is (C3.1.2)';
    END IF;
    IF OLD.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'ardoise: an app that was withdrawn stays withdrawn';
    END IF;
    IF NEW.file_sha256 IS NOT NULL AND NEW.file_sha256 IS DISTINCT FROM OLD.file_sha256 AND NOT EXISTS (
            SELECT 1 FROM app_files f WHERE f.sha256 = NEW.file_sha256 AND f.bundle = NEW.bundle
            AND f.version = NEW.version AND f.format = CASE NEW.platform WHEN 'ipad' THEN 'ipa' ELSE 'apk' END) THEN
        RAISE EXCEPTION 'ardoise: a file says the identifier and the version of its app';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER apps_before_update BEFORE UPDATE ON apps FOR EACH ROW EXECUTE FUNCTION apps_before_update();
CREATE TRIGGER apps_before_delete BEFORE DELETE ON apps
    FOR EACH ROW EXECUTE FUNCTION refuse('an app is withdrawn, never deleted');
CREATE FUNCTION app_files_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.format IS DISTINCT FROM OLD.format OR
            NEW.bytes IS DISTINCT FROM OLD.bytes OR NEW.bundle IS DISTINCT FROM OLD.bundle OR
            NEW.version IS DISTINCT FROM OLD.version OR NEW.build IS DISTINCT FROM OLD.build OR
            NEW.uploaded_at IS DISTINCT FROM OLD.uploaded_at THEN
        RAISE EXCEPTION 'ardoise: a file is what its digest says';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER app_files_before_update BEFORE UPDATE ON app_files
    FOR EACH ROW EXECUTE FUNCTION app_files_before_update();
