-- Mail that came to us, and proofs of readability. The twin in ../../postgres has the same names.

-- lookup: keyed digest of the mail, so that the same mail twice is one message.
CREATE TABLE messages (
    id TEXT NOT NULL PRIMARY KEY,
    disclosure TEXT REFERENCES disclosures (id),
    received_at INTEGER NOT NULL,
    lookup BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
) STRICT;

-- contact has no table of its own: contacts are sealed inside their distributors.
-- lookup: keyed digest of the code.
CREATE TABLE challenges (
    id TEXT NOT NULL PRIMARY KEY,
    contact TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    answered_at INTEGER,
    lookup BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
) STRICT;
