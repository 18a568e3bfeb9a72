ALTER TABLE messages DROP COLUMN owes_bell;
ALTER TABLE messages DROP COLUMN counts;
