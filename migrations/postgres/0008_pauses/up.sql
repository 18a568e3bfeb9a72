-- Wishes to be asked before a phase of a plan begins. The twin in ../../sqlite has the same names.

-- holds: for how many milliseconds at most, once the phase is reached.
-- until: when it lapses unless renewed; only of those that a terminal keeps alive.
-- session: that terminal. ended: somebody let the phase begin; the row stays.
CREATE TABLE pauses (
    plan TEXT NOT NULL REFERENCES plans (id),
    phase TEXT NOT NULL,
    holds BIGINT NOT NULL,
    until BIGINT,
    session TEXT,
    ended BOOLEAN NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (plan, phase)
);
