-- Mail that came to us, and proofs of readability. The twin in ../../sqlite has the same names.

-- lookup: keyed digest of the mail, so that the same mail twice is one message.
CREATE TABLE messages (
    id TEXT NOT NULL PRIMARY KEY,
    disclosure TEXT REFERENCES disclosures (id),
    received_at BIGINT NOT NULL,
    lookup BYTEA NOT NULL UNIQUE,
    sealed BYTEA NOT NULL
);

-- contact has no table of its own: contacts are sealed inside their distributors.
-- lookup: keyed digest of the code.
CREATE TABLE challenges (
    id TEXT NOT NULL PRIMARY KEY,
    contact TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    answered_at BIGINT,
    lookup BYTEA NOT NULL UNIQUE,
    sealed BYTEA NOT NULL
);
