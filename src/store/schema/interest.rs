//! The tables of the interest check and of votes.

diesel::table! {
    interests (id) {
        id -> Binary,
        merchant_id -> Binary,
        campaign_id -> Binary,
        email -> Nullable<Text>,
        name -> Nullable<Text>,
        created_at -> Timestamp,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    interest_lines (interest_id, sku) {
        interest_id -> Binary,
        campaign_id -> Binary,
        sku -> Text,
        quantity -> BigInt,
        up_to -> BigInt,
    }
}

diesel::table! {
    ideas (id) {
        id -> Binary,
        merchant_id -> Binary,
        title -> Text,
        body -> Text,
        state -> Text,
        campaign_id -> Nullable<Binary>,
        votes -> BigInt,
        created_at -> Timestamp,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    idea_votes (id) {
        id -> Binary,
        idea_id -> Binary,
        email -> Nullable<Text>,
        tells -> Bool,
        created_at -> Timestamp,
        confirmed_at -> Nullable<Timestamp>,
    }
}
