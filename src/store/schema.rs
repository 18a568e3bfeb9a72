//! The tables as queries see them. `tests/it/twins.rs` compares this file with what both
//! databases really have, so neither can drift alone.
//!
//! Only types that both backends and their common enum know: Text, BigInt, Integer, Bool,
//! Binary, and their nullable forms.

use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    revision (id) {
        id -> Integer,
        n -> BigInt,
    }
}

table! {
    house (key) {
        key -> Text,
        value -> Binary,
    }
}

table! {
    lease (id) {
        id -> Integer,
        holder -> Text,
        epoch -> BigInt,
        beat -> BigInt,
    }
}

table! {
    clock (id) {
        id -> Integer,
        high_water -> BigInt,
    }
}

table! {
    audit (seq) {
        seq -> BigInt,
        at -> BigInt,
        actor -> Text,
        verb -> Text,
        subject -> Text,
        previous -> Binary,
        commitment -> Binary,
        line -> Binary,
        sealed -> Binary,
    }
}

table! {
    members (id) {
        id -> Text,
        active -> Bool,
        created_at -> BigInt,
        sealed -> Binary,
    }
}

table! {
    distributors (id) {
        id -> Text,
        active -> Bool,
        revision -> BigInt,
        created_at -> BigInt,
        sealed -> Binary,
    }
}

table! {
    advisories (id) {
        id -> Text,
        revision -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        withdrawn_at -> Nullable<BigInt>,
        lookup -> Binary,
        sealed -> Binary,
    }
}

table! {
    advisory_revisions (advisory, revision) {
        advisory -> Text,
        revision -> BigInt,
        at -> BigInt,
        actor -> Text,
        sealed -> Binary,
    }
}

table! {
    disclosures (id) {
        id -> Text,
        revision -> BigInt,
        stage -> Text,
        t0 -> Nullable<BigInt>,
        created_at -> BigInt,
        sealed -> Binary,
    }
}

table! {
    blobs (id) {
        id -> Text,
        owner -> Text,
        lookup -> Binary,
        made_at -> BigInt,
        sealed -> Binary,
    }
}

table! {
    chunks (blob, n) {
        blob -> Text,
        n -> Integer,
        sealed -> Binary,
    }
}

table! {
    plans (id) {
        id -> Text,
        disclosure -> Text,
        number -> BigInt,
        kind -> Text,
        state -> Text,
        held -> Bool,
        t0 -> BigInt,
        made_at -> BigInt,
        digest -> Binary,
        sealed -> Binary,
    }
}

table! {
    approvals (id) {
        id -> Text,
        plan -> Text,
        member -> Text,
        at -> BigInt,
        sealed -> Binary,
    }
}

table! {
    lifts (plan, member) {
        plan -> Text,
        member -> Text,
        at -> BigInt,
        sealed -> Binary,
    }
}

table! {
    pauses (plan, phase) {
        plan -> Text,
        phase -> Text,
        holds -> BigInt,
        until -> Nullable<BigInt>,
        session -> Nullable<Text>,
        ended -> Bool,
        sealed -> Binary,
    }
}

table! {
    steps (id) {
        id -> Text,
        plan -> Text,
        position -> Integer,
        outlet -> Text,
        phase -> Text,
        not_before -> BigInt,
        after -> Text,
        state -> Text,
        attempt -> Integer,
        next_try -> Nullable<BigInt>,
    }
}

table! {
    step_events (id) {
        id -> Text,
        plan -> Text,
        step -> Text,
        number -> BigInt,
        at -> BigInt,
        epoch -> BigInt,
        kind -> Text,
        sealed -> Binary,
    }
}

table! {
    gos (plan) {
        plan -> Text,
        value -> Text,
        at -> BigInt,
        epoch -> BigInt,
        sealed -> Binary,
    }
}

table! {
    publications (advisory) {
        advisory -> Text,
        plan -> Text,
        at -> BigInt,
    }
}

table! {
    documents (advisory, name) {
        advisory -> Text,
        name -> Text,
        position -> Integer,
        media_type -> Text,
        sealed -> Binary,
    }
}

table! {
    messages (id) {
        id -> Text,
        disclosure -> Nullable<Text>,
        received_at -> BigInt,
        lookup -> Binary,
        sealed -> Binary,
        counts -> BigInt,
        owes_bell -> Bool,
    }
}

table! {
    challenges (id) {
        id -> Text,
        contact -> Text,
        sent_at -> BigInt,
        answered_at -> Nullable<BigInt>,
        lookup -> Binary,
        sealed -> Binary,
    }
}

table! {
    draws (contact, begins) {
        contact -> Text,
        begins -> BigInt,
        due_at -> BigInt,
    }
}

allow_tables_to_appear_in_same_query!(
    advisories,
    advisory_revisions,
    approvals,
    audit,
    blobs,
    challenges,
    chunks,
    clock,
    disclosures,
    distributors,
    documents,
    draws,
    gos,
    house,
    lease,
    lifts,
    members,
    messages,
    pauses,
    plans,
    publications,
    revision,
    step_events,
    steps
);
