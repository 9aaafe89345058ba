-- Guards of what is dangerous: a trigger whose WHEN does not hold costs nothing on SQLite, and nothing changes.
SELECT 1;
