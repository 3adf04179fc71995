//! The tables of what comes after the supplier's order.

diesel::table! {
    line_cancellations (id) {
        id -> Binary,
        order_id -> Binary,
        option_id -> Binary,
        units -> BigInt,
        purpose -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    etas (id) {
        id -> Binary,
        batch_id -> Binary,
        purchase_order_id -> Nullable<Binary>,
        arrives -> Nullable<Date>,
        ship_date -> Nullable<Date>,
        source -> Text,
        set_by -> Text,
        reason -> Text,
        set_at -> Timestamp,
        state -> Text,
        passed_on_at -> Nullable<Timestamp>,
        passed_on_by -> Nullable<Text>,
        stop_loss -> Nullable<Date>,
    }
}

diesel::table! {
    promises (order_id) {
        order_id -> Binary,
        campaign_id -> Binary,
        batch_id -> Binary,
        first_date -> Date,
        agreed_date -> Nullable<Date>,
        open_ended -> Bool,
        stop_loss -> Date,
        cancels_after -> Nullable<Date>,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    notices (id) {
        id -> Binary,
        order_id -> Binary,
        batch_id -> Binary,
        eta_id -> Nullable<Binary>,
        kind -> Text,
        state -> Text,
        replaces -> Date,
        revised -> Nullable<Date>,
        stop_loss -> Nullable<Date>,
        reason -> Text,
        sent_by -> Text,
        silence -> Nullable<Text>,
        last_day -> Nullable<Date>,
        waited_at -> Nullable<Timestamp>,
        cancelled_at -> Nullable<Timestamp>,
        answered_from -> Nullable<Text>,
        mail_id -> Nullable<Binary>,
        prepared_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        cancelled_from -> Nullable<Text>,
    }
}

diesel::table! {
    given_up (batch_id) {
        batch_id -> Binary,
        reason -> Text,
        given_up_by -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    batch_stock (batch_id, option_id) {
        batch_id -> Binary,
        option_id -> Binary,
        ordered -> BigInt,
        good -> BigInt,
        damaged -> BigInt,
        short -> BigInt,
        allocated -> BigInt,
        reshipped -> BigInt,
        restocked -> BigInt,
        scrapped -> BigInt,
        on_sale -> BigInt,
        short_due -> BigInt,
    }
}

diesel::table! {
    receipts (id) {
        id -> Binary,
        batch_id -> Binary,
        purchase_order_id -> Nullable<Binary>,
        number -> Integer,
        counted_by -> Text,
        note -> Nullable<Text>,
        once -> Nullable<Text>,
        counted_at -> Timestamp,
        correction -> Bool,
    }
}

diesel::table! {
    receipt_lines (receipt_id, option_id) {
        receipt_id -> Binary,
        option_id -> Binary,
        good -> BigInt,
        damaged -> BigInt,
    }
}

diesel::table! {
    allocations (id) {
        id -> Binary,
        batch_id -> Binary,
        order_id -> Binary,
        option_id -> Binary,
        units -> BigInt,
        why -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    order_priorities (order_id) {
        order_id -> Binary,
        batch_id -> Binary,
        reason -> Text,
        set_by -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    shipments (id) {
        id -> Binary,
        merchant_id -> Binary,
        batch_id -> Binary,
        order_id -> Binary,
        number -> BigInt,
        kind -> Text,
        state -> Text,
        claim_id -> Nullable<Binary>,
        carrier -> Nullable<Text>,
        tracking_number -> Nullable<Text>,
        picked_at -> Timestamp,
        picked_by -> Text,
        handed_over_at -> Nullable<Timestamp>,
        recorded_at -> Nullable<Timestamp>,
        delivered_at -> Nullable<Timestamp>,
        delivered_by -> Nullable<Text>,
        stopped_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    shipment_lines (shipment_id, option_id) {
        shipment_id -> Binary,
        option_id -> Binary,
        units -> BigInt,
    }
}

diesel::table! {
    claims (id) {
        id -> Binary,
        merchant_id -> Binary,
        campaign_id -> Binary,
        order_id -> Binary,
        shipment_id -> Nullable<Binary>,
        kind -> Text,
        state -> Text,
        reported_by -> Text,
        text -> Text,
        opened_at -> Timestamp,
        return_sent_at -> Nullable<Timestamp>,
        return_proof -> Nullable<Text>,
        returned_at -> Nullable<Timestamp>,
        refund_by -> Nullable<Date>,
        outcome -> Nullable<Text>,
        outcome_reason -> Nullable<Text>,
        amount -> Nullable<BigInt>,
        resolved_by -> Nullable<Text>,
        resolved_at -> Nullable<Timestamp>,
        return_address -> Nullable<Text>,
        return_by -> Nullable<Date>,
    }
}

diesel::table! {
    claim_lines (claim_id, option_id) {
        claim_id -> Binary,
        option_id -> Binary,
        units -> BigInt,
        restocked -> BigInt,
        scrapped -> BigInt,
    }
}

diesel::table! {
    claim_photos (id) {
        id -> Binary,
        claim_id -> Binary,
        file -> Text,
        media_type -> Text,
        width -> Integer,
        height -> Integer,
        created_at -> Timestamp,
    }
}

diesel::table! {
    posts (id) {
        id -> Binary,
        merchant_id -> Binary,
        campaign_id -> Binary,
        title -> Text,
        body -> Text,
        written_by -> Text,
        posted_at -> Timestamp,
        once -> Nullable<Text>,
        recipients -> BigInt,
        told_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    post_corrections (id) {
        id -> Binary,
        post_id -> Binary,
        body -> Text,
        once -> Nullable<Text>,
        written_by -> Text,
        written_at -> Timestamp,
    }
}
