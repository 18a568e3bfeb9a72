-- The house: every table of the first version. The twin in ../../postgres has the same names.
-- Times are UTC milliseconds; `sealed` is opened by the vault only, in its own row.

-- One row. Every audited write raises n first: writers queue here, and n numbers the audit.
CREATE TABLE revision (
    id INTEGER NOT NULL PRIMARY KEY,
    n INTEGER NOT NULL
) STRICT;
INSERT INTO revision (id, n) VALUES (1, 0);

CREATE TABLE house (
    key TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- One row. No time: a clock that jumps must not make two leaders.
CREATE TABLE lease (
    id INTEGER NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    beat INTEGER NOT NULL
) STRICT;
INSERT INTO lease (id, holder, epoch, beat) VALUES (1, '', 0, 0);

-- One row: the latest wall time any engine has seen.
CREATE TABLE clock (
    id INTEGER NOT NULL PRIMARY KEY,
    high_water INTEGER NOT NULL
) STRICT;
INSERT INTO clock (id, high_water) VALUES (1, 0);

CREATE TABLE audit (
    seq INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    verb TEXT NOT NULL,
    subject TEXT NOT NULL,
    previous BLOB NOT NULL,
    commitment BLOB NOT NULL,
    line BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE members (
    id TEXT NOT NULL PRIMARY KEY,
    active INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE distributors (
    id TEXT NOT NULL PRIMARY KEY,
    active INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE advisories (
    id TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    withdrawn_at INTEGER,
    lookup BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE advisory_revisions (
    advisory TEXT NOT NULL REFERENCES advisories (id),
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (advisory, revision)
) STRICT;

CREATE TABLE disclosures (
    id TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    stage TEXT NOT NULL,
    t0 INTEGER,
    created_at INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE blobs (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    lookup BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (owner, lookup)
) STRICT;

CREATE TABLE chunks (
    blob TEXT NOT NULL REFERENCES blobs (id),
    n INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (blob, n)
) STRICT;

CREATE TABLE plans (
    id TEXT NOT NULL PRIMARY KEY,
    disclosure TEXT NOT NULL REFERENCES disclosures (id),
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    held INTEGER NOT NULL,
    t0 INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    digest BLOB NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (disclosure, number)
) STRICT;

CREATE TABLE approvals (
    id TEXT NOT NULL PRIMARY KEY,
    plan TEXT NOT NULL REFERENCES plans (id),
    member TEXT NOT NULL REFERENCES members (id),
    at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (plan, member)
) STRICT;

CREATE TABLE lifts (
    plan TEXT NOT NULL REFERENCES plans (id),
    member TEXT NOT NULL REFERENCES members (id),
    at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (plan, member)
) STRICT;

-- state, attempt and next_try are caches of step_events.
CREATE TABLE steps (
    id TEXT NOT NULL PRIMARY KEY,
    plan TEXT NOT NULL REFERENCES plans (id),
    position INTEGER NOT NULL,
    outlet TEXT NOT NULL,
    phase TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    after TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    next_try INTEGER,
    UNIQUE (plan, position)
) STRICT;

-- Append only.
CREATE TABLE step_events (
    id TEXT NOT NULL PRIMARY KEY,
    plan TEXT NOT NULL REFERENCES plans (id),
    step TEXT NOT NULL REFERENCES steps (id),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (plan, number)
) STRICT;

-- GO is one row: whoever comes second finds it taken.
CREATE TABLE gos (
    plan TEXT NOT NULL PRIMARY KEY REFERENCES plans (id),
    value TEXT NOT NULL,
    at INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE publications (
    advisory TEXT NOT NULL PRIMARY KEY REFERENCES advisories (id),
    plan TEXT NOT NULL REFERENCES gos (plan),
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE documents (
    advisory TEXT NOT NULL REFERENCES advisories (id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (advisory, name)
) STRICT;
