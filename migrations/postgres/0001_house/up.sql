-- The house: every table of the first version. The twin in ../../sqlite has the same names.
-- Times are UTC milliseconds; `sealed` is opened by the vault only, in its own row.

-- One row. Every audited write raises n first: writers queue here, and n numbers the audit.
CREATE TABLE revision (
    id INTEGER NOT NULL PRIMARY KEY,
    n BIGINT NOT NULL
);
INSERT INTO revision (id, n) VALUES (1, 0);

CREATE TABLE house (
    key TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

-- One row. No time: a clock that jumps must not make two leaders.
CREATE TABLE lease (
    id INTEGER NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    beat BIGINT NOT NULL
);
INSERT INTO lease (id, holder, epoch, beat) VALUES (1, '', 0, 0);

-- One row: the latest wall time any engine has seen.
CREATE TABLE clock (
    id INTEGER NOT NULL PRIMARY KEY,
    high_water BIGINT NOT NULL
);
INSERT INTO clock (id, high_water) VALUES (1, 0);

CREATE TABLE audit (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    verb TEXT NOT NULL,
    subject TEXT NOT NULL,
    previous BYTEA NOT NULL,
    commitment BYTEA NOT NULL,
    line BYTEA NOT NULL,
    sealed BYTEA NOT NULL
);

CREATE TABLE members (
    id TEXT NOT NULL PRIMARY KEY,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);

CREATE TABLE distributors (
    id TEXT NOT NULL PRIMARY KEY,
    active BOOLEAN NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);

CREATE TABLE advisories (
    id TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    withdrawn_at BIGINT,
    lookup BYTEA NOT NULL UNIQUE,
    sealed BYTEA NOT NULL
);

CREATE TABLE advisory_revisions (
    advisory TEXT NOT NULL REFERENCES advisories (id),
    revision BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (advisory, revision)
);

CREATE TABLE disclosures (
    id TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    stage TEXT NOT NULL,
    t0 BIGINT,
    created_at BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);

CREATE TABLE blobs (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    lookup BYTEA NOT NULL,
    made_at BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    UNIQUE (owner, lookup)
);

CREATE TABLE chunks (
    blob TEXT NOT NULL REFERENCES blobs (id),
    n INTEGER NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (blob, n)
);

CREATE TABLE plans (
    id TEXT NOT NULL PRIMARY KEY,
    disclosure TEXT NOT NULL REFERENCES disclosures (id),
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    held BOOLEAN NOT NULL,
    t0 BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    UNIQUE (disclosure, number)
);

CREATE TABLE approvals (
    id TEXT NOT NULL PRIMARY KEY,
    plan TEXT NOT NULL REFERENCES plans (id),
    member TEXT NOT NULL REFERENCES members (id),
    at BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    UNIQUE (plan, member)
);

CREATE TABLE lifts (
    plan TEXT NOT NULL REFERENCES plans (id),
    member TEXT NOT NULL REFERENCES members (id),
    at BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (plan, member)
);

-- state, attempt and next_try are caches of step_events.
CREATE TABLE steps (
    id TEXT NOT NULL PRIMARY KEY,
    plan TEXT NOT NULL REFERENCES plans (id),
    position INTEGER NOT NULL,
    outlet TEXT NOT NULL,
    phase TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    after TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    next_try BIGINT,
    UNIQUE (plan, position)
);

-- Append only.
CREATE TABLE step_events (
    id TEXT NOT NULL PRIMARY KEY,
    plan TEXT NOT NULL REFERENCES plans (id),
    step TEXT NOT NULL REFERENCES steps (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    kind TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    UNIQUE (plan, number)
);

-- GO is one row: whoever comes second finds it taken.
CREATE TABLE gos (
    plan TEXT NOT NULL PRIMARY KEY REFERENCES plans (id),
    value TEXT NOT NULL,
    at BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);

CREATE TABLE publications (
    advisory TEXT NOT NULL PRIMARY KEY REFERENCES advisories (id),
    plan TEXT NOT NULL REFERENCES gos (plan),
    at BIGINT NOT NULL
);

CREATE TABLE documents (
    advisory TEXT NOT NULL REFERENCES advisories (id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (advisory, name)
);
