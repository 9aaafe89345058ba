-- What was known of somebody when a change of the list began to count, put right by hand or not. For PostgreSQL.

-- Sealed. Nothing for whoever was known of nothing before, and for what counted before this was kept.
ALTER TABLE list_changes ADD COLUMN before_sealed BYTEA;

CREATE FUNCTION list_changes_keep_what_was_known() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.before_sealed IS NULL AND NEW.before_sealed IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM lists l WHERE l.id = NEW.list_id AND l.state = 'settled') THEN
        RAISE EXCEPTION 'ardoise: what was known before a change is kept when it begins to count, and who is forgotten stays so (C4.2)';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER list_changes_keep_what_was_known BEFORE UPDATE ON list_changes
    FOR EACH ROW EXECUTE FUNCTION list_changes_keep_what_was_known();
