DROP INDEX disclosures_by_stage;
DROP INDEX plans_by_state;
