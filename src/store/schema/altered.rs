//! The table of what is changed of orders before the judgement.

use super::orders;

diesel::table! {
    changes (id) {
        id -> Binary,
        order_id -> Binary,
        state -> Text,
        attempt -> Nullable<Integer>,
        had -> Text,
        wanted -> Text,
        held -> Text,
        form_key -> Nullable<Text>,
        hold_expires_at -> Timestamp,
        created_at -> Timestamp,
        closed_at -> Nullable<Timestamp>,
        asked_by -> Nullable<Text>,
        goes_to -> Nullable<Text>,
        delivery -> Nullable<Text>,
        agreed_at -> Nullable<Timestamp>,
        agreed_terms -> Nullable<Integer>,
        agreed_from -> Nullable<Text>,
    }
}

diesel::joinable!(changes -> orders (order_id));

diesel::allow_tables_to_appear_in_same_query!(changes, orders);
