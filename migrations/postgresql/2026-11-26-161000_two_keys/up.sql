-- Nothing goes round what was decided, for PostgreSQL. TRUNCATE asks no trigger of rows: apps that layers name, the files that
-- tablets fetch, and what a tablet in lost mode rests on are emptied by nobody.
CREATE TRIGGER apps_before_truncate BEFORE TRUNCATE ON apps
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER app_files_before_truncate BEFORE TRUNCATE ON app_files
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
CREATE TRIGGER lost_modes_before_truncate BEFORE TRUNCATE ON lost_modes
    FOR EACH STATEMENT EXECUTE FUNCTION never_truncated();
