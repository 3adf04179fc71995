//! The tables of what is collected after joining: units by the step they wait for, saved cards, what is owed.

diesel::table! {
    limits (campaign_id, option_id, step) {
        campaign_id -> Binary,
        option_id -> Binary,
        step -> Integer,
        committed -> BigInt,
    }
}

diesel::table! {
    saved_cards (method_id) {
        method_id -> Text,
        order_id -> Binary,
        customer_id -> Text,
        brand -> Text,
        last4 -> Text,
        exp_year -> Integer,
        exp_month -> Integer,
        state -> Text,
        saved_at -> Timestamp,
        expiry_told_at -> Nullable<Timestamp>,
        detached_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    dues (order_id) {
        order_id -> Binary,
        campaign_id -> Binary,
        batch_id -> Binary,
        kind -> Text,
        state -> Text,
        amount -> BigInt,
        opened_at -> Timestamp,
        charge_at -> Timestamp,
        ends_at -> Nullable<Timestamp>,
        reminded -> Integer,
        decline -> Nullable<Text>,
        said -> Nullable<Text>,
        closed_at -> Nullable<Timestamp>,
    }
}
