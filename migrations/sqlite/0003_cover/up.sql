-- When each contact's cover mail of a month is due. The twin in ../../postgres has the same names.

-- contact has no table of its own: contacts are sealed inside their distributors.
-- begins: when that month begins; one draw a contact and month.
CREATE TABLE draws (
    contact TEXT NOT NULL,
    begins INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (contact, begins)
) STRICT;
