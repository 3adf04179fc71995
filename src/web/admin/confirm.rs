//! What is decided about a campaign as a whole, each on a page that says first what it means.

use actix_web::{HttpResponse, web};

use super::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{Facts, act, fact, own_campaign, short, slug};
use super::offer_form::local;
use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::day::{parse_date, parse_local};
use crate::domain::draft::{CampaignDraft, FieldError, PaymentMode};
use crate::store::Tx;
use crate::store::campaigns::{CampaignRow, batches_of};
use crate::store::journal;
use crate::web::view::{Day, Field, Link, Problems, plural};
use crate::workflows::desk::{Desk, Problem, offer, takes_orders};
use crate::workflows::judgement::{say_counted, tally_shown};
use crate::workflows::money::say;
use crate::workflows::payment::say_threshold;
use crate::workflows::{batches, campaigns};

/// A campaign, and what of its shoppers' money is with the merchant.
struct About {
    row: CampaignRow,
    draft: CampaignDraft,
    held: i64,
    counted: String,
    /// Paid orders of all batches that did not fail.
    orders: i64,
    /// The batches that cancelling ends, and whether goods of another one have arrived.
    ends: Vec<i32>,
    arrived: bool,
}

async fn about(staff: &Staff, path: &str) -> Result<About, Refusal> {
    staff.manages()?;
    let (merchant, slug) = (staff.merchant.clone(), slug(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let row = own_campaign(conn, &merchant, &slug)?;
        let draft = offer(&row)?;
        let sums = journal::balances(conn, merchant.id, Some(row.id))?;
        let held = sums
            .iter()
            .filter(|(_, account, _)| account == "customer_deposits");
        let tally = tally_shown(conn, &row, &draft)?;
        let all = batches_of(conn, row.id)?;
        let arrived = |state| matches!(state, BatchState::Fulfilling | BatchState::Completed);
        let over = |state| arrived(state) || state == BatchState::Failed;
        Ok(About {
            orders: batches::counts_whole(&row, &all).2,
            ends: all
                .iter()
                .filter(|b| !over(b.state))
                .map(|b| b.number)
                .collect(),
            arrived: all.iter().any(|b| arrived(b.state)),
            held: -held.map(|(.., sum)| *sum).sum::<i64>(),
            counted: say_counted(&tally, &draft),
            row,
            draft,
        })
    });
    Ok(found.await?)
}

impl About {
    fn href(&self) -> String {
        format!("/admin/campaigns/{}", self.row.slug)
    }

    fn page(&self, staff: &Staff, title: String, deed: &str) -> FormPage {
        let mut page = FormPage::new(
            staff.shell("campaigns"),
            title,
            format!("{}/{deed}", self.href()),
        );
        page.crumbs = vec![
            Link::new("/admin/campaigns", "Campaigns"),
            Link::new(self.href(), &self.row.title),
        ];
        page.back = Some(Link::new(self.href(), "Leave it as it is"));
        page
    }

    fn money(&self) -> Facts {
        vec![
            fact("Paid orders", self.orders.to_string()),
            fact("Paid so far", self.counted.clone()),
            fact("Threshold", say_threshold(&self.draft)),
            fact(
                "Shoppers' money with you",
                say(self.held, &self.row.currency),
            ),
        ]
    }
}

/// `GET /admin/campaigns/{slug}/publish`
pub async fn publish(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let mut page = about.page(&staff, format!("Publish {}", about.row.title), "publish");
    let zone = about.draft.time_zone;
    page.facts = vec![
        fact(
            "Opens",
            about
                .row
                .opens_at
                .map_or_else(|| "at once".into(), |at| short(at, zone)),
        ),
        fact("Closes", short(about.row.deadline, zone)),
        fact("Threshold", say_threshold(&about.draft)),
        fact("Paid", super::collecting::mode_words(&about.draft)),
        fact("Seller", staff.merchant.name.clone()),
    ];
    page.lead = vec![
        "From then on everybody sees it. Address, currency, time zone and deadline stay; after the first order so does \
         what shoppers joined for."
            .into(),
    ];
    let mut lines = Vec::new();
    if about.draft.interest {
        page.facts[0].1 = about.row.opens_at.map_or_else(
            || "asks first who would buy; you open it later".into(),
            |at| format!("asks first who would buy, opens {}", short(at, zone)),
        );
        page.lead = vec![
            "From then on everybody sees it, and says how many they would buy and up to what price. Nothing is sold before \
             it opens; until the first order you may change texts, prices and dates."
                .into(),
        ];
    }
    for missing in staff.merchant.missing() {
        let say = format!(
            "Missing: {missing}. Shoppers must see who sells to them; add it in the settings."
        );
        lines.push(Line::Text(say));
    }
    if about.draft.supplier_ids.is_empty() {
        lines.push(Line::Text(
            "No supplier is chosen. Without one the purchase order is blocked, and after 7 days the campaign fails.".into(),
        ));
    }
    let pays = about.draft.payment_mode != PaymentMode::ChargeOnSuccess;
    if pays && !staff.merchant.payouts_manual {
        lines.push(Line::Text(
            "Shoppers pay at joining, so their money must still be there if the campaign fails. Keep payouts manual at \
             Stripe: Dashboard, Settings, Payouts, Payout schedule, choose Manual. Then say so in your settings here."
                .into(),
        ));
    }
    if !lines.is_empty() {
        page.sections = vec![Section::new("Before you publish", lines)];
    }
    "Publish it".clone_into(&mut page.submit);
    Ok(page.answer())
}

/// `POST /admin/campaigns/{slug}/publish`
pub async fn do_publish(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let (merchant, slug, href) = (staff.merchant.id, about.row.slug.clone(), about.href());
    let f =
        move |desk: &Desk, tx: &mut Tx| campaigns::publish(desk, tx, merchant, &slug).map(|_| ());
    match act(&staff, f, "It is published.", &href).await {
        Err(Refusal::Problem(Problem::Invalid(errors))) => {
            let mut page = about.page(&staff, format!("Publish {}", about.row.title), "publish");
            let mut problems = Problems::default();
            for e in errors {
                problems.add(
                    "",
                    super::form::sentence(&format!("{}: {}", e.field, e.message)),
                );
            }
            page.problems = problems;
            page.lead =
                vec!["The draft has become wrong since it was saved. Edit it first.".into()];
            "Publish it".clone_into(&mut page.submit);
            Ok(page.answer())
        }
        other => other,
    }
}

/// `GET /admin/campaigns/{slug}/extend`
pub async fn extend(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let mut typed = Typed::default();
    typed.set(
        "deadline",
        local(about.draft.deadline, about.draft.time_zone),
    );
    typed.set(
        "promised_ship_date",
        about.draft.promised_ship_date.to_string(),
    );
    Ok(about.extend_page(&staff, &typed, Problems::default()))
}

impl About {
    fn extend_page(&self, staff: &Staff, typed: &Typed, problems: Problems) -> HttpResponse {
        let mut page = self.page(staff, format!("Extend {}", self.row.title), "extend");
        page.lead = vec![
            "This works once, and before the deadline passes. Every shopper is told by mail and may leave for a full \
             refund."
                .into(),
        ];
        page.facts = vec![
            fact(
                "Present deadline",
                short(self.row.deadline, self.draft.time_zone),
            ),
            fact("Stop-loss date", Day(self.draft.stop_loss_date).text()),
            fact(
                "Shoppers who are told",
                plural(self.row.collected_orders, "order"),
            ),
        ];
        let field = |field: Field| -> Line {
            let value = typed.get(&field.name).to_owned();
            field.value(value).problems(&problems).into()
        };
        let zone = format!("In the campaign's zone, {}.", self.draft.time_zone.name());
        page.sections = vec![Section::new(
            "New dates",
            vec![Line::Row(vec![
                field(Field::input("datetime-local", "deadline", "New deadline").hint(zone)),
                field(
                    Field::input("date", "promised_ship_date", "Promised ship date")
                        .hint("Leave it, or move it later."),
                ),
            ])],
        )];
        "Extend it, once".clone_into(&mut page.submit);
        page.problems = problems;
        page.answer()
    }
}

/// `POST /admin/campaigns/{slug}/extend`
pub async fn do_extend(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let deadline = parse_local(typed.get("deadline"), about.draft.time_zone);
    let ships = typed.some("promised_ship_date").map(parse_date);
    let mut errors = Vec::new();
    if deadline.is_none() {
        let say = "write date and time, such as 2026-12-01T18:00";
        errors.push(FieldError::new("deadline", say));
    }
    if ships == Some(None) {
        errors.push(FieldError::new(
            "promised_ship_date",
            "write a date as YYYY-MM-DD",
        ));
    }
    if let (Some(deadline), true) = (deadline, errors.is_empty()) {
        let (merchant, slug) = (staff.merchant.id, about.row.slug.clone());
        let ships = ships.flatten();
        let f = move |_: &Desk, tx: &mut Tx| {
            campaigns::extend(tx, merchant, &slug, deadline, ships).map(|_| ())
        };
        match act(
            &staff,
            f,
            "The deadline is moved; every shopper is told.",
            &about.href(),
        )
        .await
        {
            Err(Refusal::Problem(Problem::Invalid(wrong))) => errors = wrong,
            other => return other,
        }
    }
    Ok(about.extend_page(&staff, &typed, problems_of(&errors)))
}

/// `GET /admin/campaigns/{slug}/close`
pub async fn close(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let mut page = about.page(&staff, format!("Close {} now", about.row.title), "close");
    page.lead = vec![
        "No new orders are taken from now on. What is being paid is paid or runs out; then the batch is judged as at \
         the deadline."
            .into(),
    ];
    page.facts = about.money();
    "Close it now".clone_into(&mut page.submit);
    page.risk = true;
    Ok(page.answer())
}

/// `POST /admin/campaigns/{slug}/close`
pub async fn do_close(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let (merchant, slug) = (staff.merchant.id, about.row.slug.clone());
    let f = move |_: &Desk, tx: &mut Tx| campaigns::close(tx, merchant, &slug).map(|_| ());
    let said = "Joining has ended. It is judged as soon as every payment page is settled.";
    act(&staff, f, said, &about.href()).await
}

/// `GET /admin/campaigns/{slug}/cancel`
pub async fn cancel(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    Ok(about.cancel_page(&staff, "", Problems::default()))
}

impl About {
    fn cancel_page(&self, staff: &Staff, reason: &str, problems: Problems) -> HttpResponse {
        let mut page = self.page(staff, format!("Cancel {}", self.row.title), "cancel");
        let orders = plural(self.orders, "order");
        let amount = say(self.held, &self.row.currency);
        page.lead = vec![format!(
            "{orders} and {amount} go back, in full. Open payment pages are closed. This can't be undone."
        )];
        page.facts = self.money();
        page.sections = vec![Section::new(
            "Why",
            vec![
                Field::area("reason", "Reason", 4)
                    .hint("Every shopper reads it in the mail.")
                    .max_length(500)
                    .value(reason)
                    .problems(&problems)
                    .into(),
            ],
        )];
        page.submit = format!("Cancel and refund {amount}");
        if self.row.state == CampaignState::Interest {
            page.lead = vec![
                "Nothing was charged. Everybody who answered is told by mail. This can't be undone."
                    .into(),
            ];
            "Cancel it".clone_into(&mut page.submit);
        }
        if self.arrived {
            let ends: Vec<String> = self.ends.iter().map(ToString::to_string).collect();
            page.lead = vec![format!(
                "Everything that was paid in {} {} goes back, in full. Open payment pages are closed. What has arrived goes \
                 on and is sent. This can't be undone.",
                if ends.len() == 1 { "batch" } else { "batches" },
                ends.join(" and ")
            )];
            "Cancel and refund".clone_into(&mut page.submit);
        }
        page.risk = true;
        page.problems = problems;
        page.answer()
    }
}

/// `POST /admin/campaigns/{slug}/cancel`
pub async fn do_cancel(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let about = about(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let reason = typed.get("reason").to_owned();
    let (merchant, slug) = (staff.merchant.id, about.row.slug.clone());
    let f = move |desk: &Desk, tx: &mut Tx| {
        campaigns::cancel(desk, tx, merchant, &slug, &reason).map(|_| ())
    };
    match act(
        &staff,
        f,
        "It is cancelled. Everybody gets the money back.",
        &about.href(),
    )
    .await
    {
        Err(Refusal::Problem(Problem::Invalid(errors))) => {
            Ok(about.cancel_page(&staff, typed.get("reason"), problems_of(&errors)))
        }
        other => other,
    }
}

/// What can be done with a campaign now, the most likely first.
pub fn deeds(
    row: &CampaignRow,
    draft: &CampaignDraft,
    met: bool,
    now: chrono::NaiveDateTime,
) -> Vec<Link> {
    let href = |deed: &str| format!("/admin/campaigns/{}/{deed}", row.slug);
    let mut deeds = Vec::new();
    let open = takes_orders(row, now);
    if row.state == CampaignState::Draft {
        deeds.push(Link::new(href("publish"), "Publish"));
    }
    if row.state == CampaignState::Interest {
        deeds.push(Link::new(href("open"), "Open or schedule"));
    }
    if super::offer::is_editable(row) {
        deeds.push(Link::new(href("edit"), "Edit"));
    }
    if open && row.extended_at.is_none() && draft.deadline.naive_utc() > now {
        deeds.push(Link::new(href("extend"), "Extend"));
    }
    if open && met {
        deeds.push(Link::new(href("close"), "Close now"));
    }
    if matches!(
        row.state,
        CampaignState::Interest
            | CampaignState::Scheduled
            | CampaignState::Open
            | CampaignState::Collecting
            | CampaignState::Ordered
    ) {
        deeds.push(Link::new(href("cancel"), "Cancel"));
    }
    deeds
}
