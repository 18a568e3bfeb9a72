-- What a mail costs and what is owed for it. The twin in ../../sqlite has the same names.

-- counts: bytes taken of the room for mail of nobody; 0 for mail that belongs to a case.
ALTER TABLE messages ADD COLUMN counts BIGINT NOT NULL DEFAULT 0;
-- owes_bell: the team has not been told of it yet.
ALTER TABLE messages ADD COLUMN owes_bell BOOLEAN NOT NULL DEFAULT FALSE;
