-- On SQLite a trigger that is not about a command costs nothing: its condition begins with the gate. See PostgreSQL's.
SELECT 1;
