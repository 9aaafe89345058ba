-- Attempts at a code of the second factor are counted apart from those of signing in: whoever knows a login cannot keep
-- its holder, who is signed in already, from what needs a code.
ALTER TABLE accounts ADD COLUMN failed_codes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN codes_locked_until INTEGER;
