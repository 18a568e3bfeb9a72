-- What the engine asks after every write finds only what is under way, however much is over.
-- The twin in ../../postgres has the same names.

CREATE INDEX plans_by_state ON plans (state, id);
CREATE INDEX disclosures_by_stage ON disclosures (stage);
