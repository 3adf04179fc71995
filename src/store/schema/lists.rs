//! The table of the waiting lists.

diesel::table! {
    waiting (order_id) {
        order_id -> Binary,
        campaign_id -> Binary,
        place -> BigInt,
        joined_at -> Timestamp,
        told_at -> Nullable<Timestamp>,
        offered_at -> Nullable<Timestamp>,
        offer_ends -> Nullable<Timestamp>,
        reminded_at -> Nullable<Timestamp>,
        answer -> Nullable<Text>,
        answered_at -> Nullable<Timestamp>,
    }
}
