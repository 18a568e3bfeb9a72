-- Wishes to be asked before a phase of a plan begins. The twin in ../../postgres has the same names.

-- holds: for how many milliseconds at most, once the phase is reached.
-- until: when it lapses unless renewed; only of those that a terminal keeps alive.
-- session: that terminal. ended: somebody let the phase begin; the row stays.
CREATE TABLE pauses (
    plan TEXT NOT NULL REFERENCES plans (id),
    phase TEXT NOT NULL,
    holds INTEGER NOT NULL,
    until INTEGER,
    session TEXT,
    ended INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (plan, phase)
) STRICT;
