//! The tables, the same on both databases. Times are naive and mean UTC.

mod altered;
mod collecting;
mod fulfilment;
mod interest;
mod lists;

pub use altered::*;
pub use collecting::*;
pub use fulfilment::*;
pub use interest::*;
pub use lists::*;

diesel::table! {
    settings (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    merchants (id) {
        id -> Binary,
        slug -> Text,
        name -> Text,
        email -> Text,
        address -> Text,
        imprint -> Text,
        terms -> Text,
        privacy -> Text,
        terms_version -> Integer,
        payouts_manual -> Bool,
        created_at -> Timestamp,
        withdrawal_everywhere -> Bool,
    }
}

diesel::table! {
    staff (id) {
        id -> Binary,
        merchant_id -> Binary,
        email -> Text,
        name -> Text,
        role -> Text,
        password_hash -> Text,
        created_at -> Timestamp,
        sessions -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Binary,
        merchant_id -> Binary,
        key_hash -> Binary,
        created_at -> Timestamp,
    }
}

diesel::table! {
    counters (merchant_id, kind) {
        merchant_id -> Binary,
        kind -> Text,
        value -> BigInt,
    }
}

diesel::table! {
    suppliers (id) {
        id -> Binary,
        merchant_id -> Binary,
        name -> Text,
        email -> Text,
        address -> Text,
        currency -> Text,
        lead_time_days -> Integer,
        minimum_units -> Nullable<BigInt>,
        capacity_units -> Nullable<BigInt>,
        case_pack -> BigInt,
        unit_costs -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    campaigns (id) {
        id -> Binary,
        merchant_id -> Binary,
        slug -> Text,
        title -> Text,
        currency -> Text,
        state -> Text,
        failure -> Nullable<Text>,
        failure_note -> Nullable<Text>,
        spec -> Text,
        opens_at -> Nullable<Timestamp>,
        deadline -> Timestamp,
        extended_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
        published_at -> Nullable<Timestamp>,
        first_order_at -> Nullable<Timestamp>,
        waiting_for -> Nullable<Text>,
        orders -> BigInt,
        open_payments -> BigInt,
        committed_units -> BigInt,
        collected_units -> BigInt,
        collected_orders -> BigInt,
        best_step_told -> Integer,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        last_sign_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    options (id) {
        id -> Binary,
        campaign_id -> Binary,
        position -> Integer,
        sku -> Text,
        cap -> Nullable<BigInt>,
        taken -> BigInt,
        committed -> BigInt,
        collected -> BigInt,
    }
}

diesel::table! {
    pictures (id) {
        id -> Binary,
        campaign_id -> Binary,
        position -> Integer,
        file -> Text,
        media_type -> Text,
        width -> Integer,
        height -> Integer,
        alt -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    batches (id) {
        id -> Binary,
        campaign_id -> Binary,
        number -> Integer,
        state -> Text,
        step -> Nullable<Integer>,
        judged_at -> Nullable<Timestamp>,
        units_paid -> BigInt,
        settled_at -> Nullable<Timestamp>,
        blocked -> Nullable<Text>,
        blocked_since -> Nullable<Timestamp>,
        blocked_warned -> Integer,
        arrives -> Nullable<Date>,
        ship_date -> Nullable<Date>,
        address_lock -> Nullable<Date>,
        received_at -> Nullable<Timestamp>,
        completed_at -> Nullable<Timestamp>,
        why -> Nullable<Text>,
        collecting_since -> Nullable<Timestamp>,
        collected_at -> Nullable<Timestamp>,
        short_until -> Nullable<Timestamp>,
        failure -> Nullable<Text>,
        failure_note -> Nullable<Text>,
        orders_paid -> BigInt,
    }
}

diesel::table! {
    orders (id) {
        id -> Binary,
        number -> BigInt,
        merchant_id -> Binary,
        campaign_id -> Binary,
        batch_id -> Binary,
        state -> Text,
        payment_state -> Text,
        email -> Text,
        name -> Text,
        address -> Text,
        country -> Text,
        delivery -> Text,
        currency -> Text,
        units -> BigInt,
        quote -> Text,
        total -> BigInt,
        final_total -> Nullable<BigInt>,
        charged -> BigInt,
        refund_due -> BigInt,
        refunded -> BigInt,
        lost -> BigInt,
        units_taken -> Bool,
        settled -> Bool,
        hold_expires_at -> Timestamp,
        terms_version -> Integer,
        joined_from -> Text,
        form_key -> Nullable<Text>,
        note -> Nullable<Text>,
        created_at -> Timestamp,
        confirmed_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
        allowances -> BigInt,
        mode -> Text,
        limit_step -> Integer,
        collected -> Bool,
        owed -> BigInt,
        forfeited -> BigInt,
    }
}

diesel::table! {
    order_lines (order_id, option_id) {
        order_id -> Binary,
        option_id -> Binary,
        sku -> Text,
        quantity -> BigInt,
        unit_price -> BigInt,
        final_price -> Nullable<BigInt>,
        state -> Text,
        cancelled -> BigInt,
        allocated -> BigInt,
        picked -> BigInt,
        shipped -> BigInt,
        delivered -> BigInt,
    }
}

diesel::table! {
    payments (order_id, attempt) {
        order_id -> Binary,
        attempt -> Integer,
        state -> Text,
        amount -> BigInt,
        idempotency_key -> Text,
        planned_at -> Timestamp,
        expires_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        session_id -> Nullable<Text>,
        url -> Nullable<Text>,
        intent_id -> Nullable<Text>,
        close_wanted -> Bool,
        problem -> Nullable<Text>,
        settled_at -> Nullable<Timestamp>,
        kind -> Text,
        looked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    refunds (id) {
        id -> Binary,
        order_id -> Binary,
        payment_attempt -> Integer,
        campaign_id -> Binary,
        purpose -> Text,
        amount -> BigInt,
        currency -> Text,
        state -> Text,
        held -> Bool,
        attempt -> Integer,
        failures -> Integer,
        proof -> Nullable<Text>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    refund_attempts (refund_id, attempt) {
        refund_id -> Binary,
        attempt -> Integer,
        state -> Text,
        idempotency_key -> Text,
        provider_id -> Nullable<Text>,
        problem -> Nullable<Text>,
        first_sent_at -> Nullable<Timestamp>,
        looked_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    disputes (provider_id) {
        provider_id -> Text,
        order_id -> Binary,
        amount -> BigInt,
        state -> Text,
        provider_state -> Text,
        reason -> Text,
        opened_at -> Timestamp,
        closed_at -> Nullable<Timestamp>,
        due_by -> Nullable<Timestamp>,
        attempt -> Integer,
    }
}

diesel::table! {
    dispute_evidence (dispute_id, attempt) {
        dispute_id -> Text,
        attempt -> Integer,
        state -> Text,
        submits -> Bool,
        content -> Text,
        idempotency_key -> Text,
        prepared_by -> Text,
        problem -> Nullable<Text>,
        created_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        done_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    papers (id) {
        id -> Binary,
        merchant_id -> Binary,
        order_id -> Binary,
        kind -> Text,
        number -> BigInt,
        payment_attempt -> Integer,
        refund_id -> Nullable<Binary>,
        amount -> BigInt,
        tax -> BigInt,
        currency -> Text,
        content -> Text,
        issued_at -> Timestamp,
    }
}

diesel::table! {
    paperless (order_id, payment_attempt) {
        order_id -> Binary,
        payment_attempt -> Integer,
    }
}

diesel::table! {
    purchase_orders (id) {
        id -> Binary,
        merchant_id -> Binary,
        batch_id -> Binary,
        supplier_id -> Nullable<Binary>,
        number -> Nullable<BigInt>,
        version -> Integer,
        state -> Text,
        units -> BigInt,
        units_paid -> BigInt,
        document -> Text,
        created_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        acknowledged_at -> Nullable<Timestamp>,
        note -> Nullable<Text>,
        added_units -> BigInt,
        replaces -> Nullable<Binary>,
        in_production_at -> Nullable<Timestamp>,
        shipped_at -> Nullable<Timestamp>,
        carrier -> Nullable<Text>,
        tracking_number -> Nullable<Text>,
        received_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
        rejected_at -> Nullable<Timestamp>,
        rejected_because -> Nullable<Text>,
        withdrawn_at -> Nullable<Timestamp>,
        withdrawn_because -> Nullable<Text>,
    }
}

diesel::table! {
    journal_entries (id) {
        id -> Binary,
        merchant_id -> Binary,
        campaign_id -> Nullable<Binary>,
        order_id -> Nullable<Binary>,
        currency -> Text,
        kind -> Text,
        once -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    journal_postings (entry_id, position) {
        entry_id -> Binary,
        position -> Integer,
        account -> Text,
        amount -> BigInt,
    }
}

diesel::table! {
    webhook_events (id) {
        id -> Text,
        kind -> Text,
        body -> Text,
        received_at -> Timestamp,
        done_at -> Nullable<Timestamp>,
        outcome -> Nullable<Text>,
    }
}

diesel::table! {
    jobs (kind, subject) {
        kind -> Text,
        subject -> Text,
        run_at -> Timestamp,
        priority -> Integer,
        wanted -> BigInt,
        attempts -> Integer,
        leased_until -> Nullable<Timestamp>,
        lease -> Nullable<Binary>,
        problem -> Nullable<Text>,
        dead -> Bool,
        created_at -> Timestamp,
    }
}

diesel::table! {
    mails (id) {
        id -> Binary,
        once -> Text,
        kind -> Text,
        merchant_id -> Nullable<Binary>,
        campaign_id -> Nullable<Binary>,
        order_id -> Nullable<Binary>,
        purchase_order_id -> Nullable<Binary>,
        recipient -> Text,
        reply_to -> Nullable<Text>,
        subject -> Text,
        body_text -> Text,
        body_html -> Text,
        attachments -> Nullable<Text>,
        state -> Text,
        problem -> Nullable<Text>,
        created_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    happenings (id) {
        id -> Binary,
        merchant_id -> Binary,
        campaign_id -> Nullable<Binary>,
        order_id -> Nullable<Binary>,
        actor -> Text,
        kind -> Text,
        detail -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    api_answers (scope, idempotency_key) {
        scope -> Text,
        idempotency_key -> Text,
        request_hash -> Binary,
        status -> Nullable<Integer>,
        body -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::joinable!(order_lines -> orders (order_id));
diesel::joinable!(payments -> orders (order_id));
diesel::joinable!(refunds -> orders (order_id));
diesel::joinable!(saved_cards -> orders (order_id));
diesel::joinable!(dues -> orders (order_id));
diesel::joinable!(disputes -> orders (order_id));
diesel::joinable!(refund_attempts -> refunds (refund_id));
diesel::joinable!(journal_postings -> journal_entries (entry_id));
diesel::joinable!(batches -> campaigns (campaign_id));
diesel::joinable!(options -> campaigns (campaign_id));
diesel::joinable!(purchase_orders -> batches (batch_id));
diesel::joinable!(promises -> orders (order_id));
diesel::joinable!(notices -> orders (order_id));
diesel::joinable!(receipt_lines -> receipts (receipt_id));
diesel::joinable!(order_priorities -> orders (order_id));
diesel::joinable!(shipments -> orders (order_id));
diesel::joinable!(shipment_lines -> shipments (shipment_id));
diesel::joinable!(claims -> orders (order_id));
diesel::joinable!(claim_lines -> claims (claim_id));

diesel::allow_tables_to_appear_in_same_query!(
    settings,
    merchants,
    staff,
    api_keys,
    counters,
    suppliers,
    campaigns,
    options,
    pictures,
    batches,
    orders,
    order_lines,
    payments,
    limits,
    saved_cards,
    dues,
    refunds,
    refund_attempts,
    disputes,
    dispute_evidence,
    papers,
    paperless,
    purchase_orders,
    journal_entries,
    journal_postings,
    webhook_events,
    jobs,
    mails,
    happenings,
    api_answers,
    line_cancellations,
    etas,
    promises,
    notices,
    given_up,
    batch_stock,
    receipts,
    receipt_lines,
    allocations,
    order_priorities,
    shipments,
    shipment_lines,
    claims,
    claim_lines,
    claim_photos,
    posts,
    post_corrections,
    interests,
    interest_lines,
    ideas,
    idea_votes,
    waiting,
);

diesel::allow_columns_to_appear_in_same_group_by_clause!(
    interest_lines::sku,
    interest_lines::up_to,
);

diesel::allow_columns_to_appear_in_same_group_by_clause!(
    journal_entries::currency,
    journal_postings::account,
);
diesel::allow_columns_to_appear_in_same_group_by_clause!(
    order_lines::option_id,
    order_lines::unit_price,
    orders::limit_step,
);
diesel::allow_columns_to_appear_in_same_group_by_clause!(
    receipts::batch_id,
    receipt_lines::option_id,
);

diesel::allow_columns_to_appear_in_same_group_by_clause!(
    orders::campaign_id,
    promises::first_date,
    shipments::handed_over_at,
);
