DROP INDEX commands_by_key;
