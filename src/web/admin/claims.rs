//! Claims in the panel: what is open, each with its photos, and what staff decide about it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;

use super::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{Cell, Facts, ListPage, PAGE, Table, fact, id, short};
use super::today::Thing;
use crate::domain::claim::{ClaimKind, ClaimState, MAX_TEXT};
use crate::domain::day::{day_of, parse_date};
use crate::domain::draft::FieldError;
use crate::domain::ids::{ClaimId, OptionId, OrderId, PhotoId};
use crate::domain::money::parse_decimal;
use crate::domain::withdrawal::WARN_DAYS;
use crate::store::claims::{self as rows, ClaimPhotoRow};
use crate::store::merchants::MerchantRow;
use crate::store::{Conn, orders};
use crate::web::order::{claim_badge, claim_picture, photo_answer};
use crate::web::pages;
use crate::web::view::{
    Badge, Choice, Day, Empty, Field, Link, Pager, PanelShell, Picture, Problems, plural,
};
use crate::workflows::claims::decide::{Claim, Decision, ask_return, read, receive, resolve};
use crate::workflows::claims::{Case, Report, Who, report, say_kind};
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::forms::is_first;
use crate::workflows::money::{currency, say};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/claims", web::get().to(list))
        .route("/claims/{id}", web::get().to(page))
        .route("/claims/{id}/photos/{photo}", web::get().to(photo))
        .route("/claims/{id}/{deed}", web::post().to(act))
        .route("/orders/{id}/claims/new", web::get().to(new))
        .route("/orders/{id}/claims/new", web::post().to(make));
}

/// The filter, as it stands in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    state: String,
    cursor: String,
}

/// `GET /admin/claims`
pub async fn list(staff: Staff, asked: web::Query<Asked>) -> Result<HttpResponse, Refusal> {
    let open = asked.state != "resolved";
    let before = match asked.cursor.as_str() {
        "" => None,
        text => Some(id::<ClaimId>(text)?),
    };
    let merchant = staff.merchant.id;
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let claims = rows::of_merchant(conn, merchant, open, before, PAGE + 1)?;
        let mut listed = Vec::with_capacity(claims.len());
        for claim in claims {
            let order = orders::by_id(conn, claim.order_id)?.ok_or(Problem::NotFound("order"))?;
            listed.push((claim, order));
        }
        Ok(listed)
    });
    let mut listed = found.await?;
    let more = listed.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    listed.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let next = listed.last().filter(|_| more).map(|(c, _)| c.id);
    let cells = listed.iter().map(|(claim, order)| {
        vec![
            Cell::Document(Link::new(
                format!("/admin/claims/{}", claim.id),
                order_number(order.number),
            )),
            Cell::text(order.name.clone()),
            Cell::text(say_kind(claim.kind)),
            Cell::Badge(claim_badge(claim)),
            Cell::when(claim.opened_at, chrono_tz::Tz::UTC),
            Cell::text(
                claim
                    .refund_by
                    .filter(|_| claim.state.is_open())
                    .map_or_else(String::new, |day| Day(day).text()),
            ),
        ]
    });
    let state = if open { "open" } else { "resolved" };
    let page = ListPage {
        shell: staff.shell("orders"),
        title: "Claims and withdrawals".to_owned(),
        lead: Some(
            "What went wrong after the door, and who withdrew from the contract.".to_owned(),
        ),
        actions: Vec::new(),
        filters: vec![
            Field::select(
                "state",
                "Show",
                vec![
                    Choice::new("open", "Open"),
                    Choice::new("resolved", "Decided"),
                ],
            )
            .value(state),
        ],
        action: "/admin/claims".to_owned(),
        table: Table::new(
            "Claims",
            vec![
                ("Order", false),
                ("Shopper", false),
                ("What", false),
                ("State", false),
                ("Since (UTC)", false),
                ("Refund due by", false),
            ],
            cells.collect(),
        ),
        empty: Empty {
            text: "No claim stands here. They come from orders' pages, or from you.".into(),
            action: None,
        },
        pager: (next.is_some() || before.is_some()).then(|| Pager {
            shown: plural(i64::try_from(listed.len()).unwrap_or(0), "claim"),
            first: before.map(|_| format!("/admin/claims?state={state}")),
            next: next.map(|next| format!("/admin/claims?state={state}&cursor={next}")),
        }),
    };
    Ok(page.answer())
}

/// One thing that can be done with a claim: a form of its own.
struct Deed {
    title: &'static str,
    text: String,
    action: String,
    form_key: String,
    lines: Vec<Line>,
    submit: String,
    risk: bool,
}

impl Deed {
    fn id(&self) -> String {
        format!("h-{}", self.action.rsplit('/').next().unwrap_or_default())
    }
}

/// `/admin/claims/{id}`
#[derive(Template)]
#[template(path = "admin/claim.html")]
struct ClaimPage {
    shell: PanelShell,
    title: String,
    badge: Badge,
    order: Link,
    problems: Problems,
    text: String,
    facts: Facts,
    photos: Vec<Picture>,
    deeds: Vec<Deed>,
}

/// All that a claim's page shows.
struct Known {
    claim: Claim,
    photos: Vec<ClaimPhotoRow>,
    back: i64,
    stock: Vec<(OptionId, i64)>,
}

async fn known(staff: &Staff, path: &str) -> Result<Known, Refusal> {
    let (merchant, claim) = (staff.merchant.id, id::<ClaimId>(path)?);
    let found = staff
        .office
        .read(move |conn: &mut Conn| -> Result<_, Problem> {
            let claim = read(conn, merchant, claim)?;
            Ok(Known {
                photos: rows::photos_of(conn, &[claim.row.id])?,
                back: claim.back()?,
                stock: claim.stock(conn)?,
                claim,
            })
        });
    Ok(found.await?)
}

impl Known {
    fn money(&self, amount: i64) -> String {
        say(amount, &self.claim.case.order.currency)
    }

    fn facts(&self) -> Facts {
        let row = &self.claim.row;
        let zone = self.claim.case.draft.time_zone;
        let mut facts = vec![
            fact("Shopper", self.claim.case.order.name.clone()),
            fact("Reported", short(row.opened_at, zone)),
            fact("By", row.reported_by.clone()),
            fact(
                "Units",
                self.claim.case.say_units(&self.claim.units()).join(", "),
            ),
        ];
        let days = [
            ("Refund due by", row.refund_by),
            ("To be sent back by", row.return_by),
        ];
        for (name, day) in days {
            if let Some(day) = day {
                facts.push(fact(name, Day(day).text()));
            }
        }
        if let Some(at) = row.return_sent_at {
            facts.push(fact("On its way back since", short(at, zone)));
        }
        if let Some(proof) = &row.return_proof {
            facts.push(fact("Proof", proof.clone()));
        }
        if let Some(at) = row.returned_at {
            facts.push(fact("Came back", short(at, zone)));
            for line in &self.claim.lines {
                facts.push(fact(
                    &self.claim.case.name_of(line.option_id),
                    format!("{} to stock, {} scrapped", line.restocked, line.scrapped),
                ));
            }
        }
        if let Some(amount) = row.amount {
            facts.push(fact("Goes back", self.money(amount)));
        }
        if let (Some(by), Some(at)) = (&row.resolved_by, row.resolved_at) {
            facts.push(fact("Decided", format!("{}, {by}", short(at, zone))));
        }
        if let Some(reason) = &row.outcome_reason {
            facts.push(fact("Reason", reason.clone()));
        }
        facts
    }

    fn deeds(&self, typed: &Typed, problems: &Problems, now: DateTime<Utc>) -> Vec<Deed> {
        let row = &self.claim.row;
        if !row.state.is_open() {
            return Vec::new();
        }
        let deed = |title, name: &str, text: String, lines, submit: String, risk| Deed {
            title,
            text,
            action: format!("/admin/claims/{}/{name}", row.id),
            form_key: crate::web::order::new_key(),
            lines,
            submit,
            risk,
        };
        let reason = |name: &str| -> Line {
            Field::area(name, "Reason", 3)
                .hint("The shopper reads it in the mail.")
                .max_length(500)
                .value(typed.get(name))
                .problems(problems)
                .into()
        };
        let withdrawal = row.kind == ClaimKind::Withdrawal;
        let amount = self.money(self.back);
        let mut deeds = vec![deed(
            "Refund it in full",
            "refund",
            format!(
                "{amount} goes back: the price of these units, with their share of tax{}.",
                if withdrawal {
                    " and standard shipping, as far as it was charged for them"
                } else {
                    ""
                }
            ),
            vec![Line::Hidden("shown".into(), self.back.to_string())],
            format!("Refund {amount}"),
            true,
        )];
        if !withdrawal {
            let missing = self.stock.iter().find(|(_, left)| *left < 0);
            let text = match missing {
                None => "A new parcel is put on the pick list, from units of this batch that are nobody's.".to_owned(),
                Some((option, short)) => format!(
                    "Not possible now: of {} there are {} too few in stock.",
                    self.claim.case.name_of(*option),
                    -short
                ),
            };
            deeds.push(deed(
                "Send it again",
                "reship",
                text,
                Vec::new(),
                "Send it again".into(),
                false,
            ));
            deeds.push(deed(
                "Refund a part",
                "part",
                format!("The shopper keeps the goods. At most {amount}."),
                vec![
                    Field::text("amount", "Amount")
                        .hint("Such as 12.50.")
                        .inputmode("decimal")
                        .value(typed.get("amount"))
                        .problems(problems)
                        .into(),
                    reason("part_reason"),
                ],
                "Refund this part".into(),
                true,
            ));
        }
        if row.state != ClaimState::Returned {
            deeds.push(deed(
                "The goods came back",
                "received",
                "What can be sold goes to stock.".into(),
                self.received_lines(typed, problems),
                "Write down what came back".into(),
                false,
            ));
        }
        if row.state == ClaimState::Open {
            deeds.push(self.ask_back(typed, problems, now, deed));
        }
        deeds.push(deed(
            "Say no",
            "refuse",
            "Nothing goes back. The shopper may report it again.".into(),
            vec![reason("reason")],
            "Refuse it".into(),
            true,
        ));
        deeds
    }

    fn received_lines(&self, typed: &Typed, problems: &Problems) -> Vec<Line> {
        let field = |name: String, label: String, value: String, most: i64| -> Line {
            let typed = typed.some(&name).map_or(value, str::to_owned);
            Field::input("number", name, label)
                .range(Some("0".into()), Some(most.to_string()))
                .value(typed)
                .problems(problems)
                .into()
        };
        let lines = self.claim.lines.iter().map(|line| {
            let name = self.claim.case.name_of(line.option_id);
            Line::Row(vec![
                field(
                    format!("good_{}", line.option_id),
                    format!("{name}: to stock"),
                    line.units.to_string(),
                    line.units,
                ),
                field(
                    format!("bad_{}", line.option_id),
                    format!("{name}: scrapped"),
                    "0".into(),
                    line.units,
                ),
            ])
        });
        lines.collect()
    }

    fn ask_back(
        &self,
        typed: &Typed,
        problems: &Problems,
        now: DateTime<Utc>,
        deed: impl Fn(&'static str, &str, String, Vec<Line>, String, bool) -> Deed,
    ) -> Deed {
        let day = day_of(now, self.claim.case.draft.time_zone) + Duration::days(14);
        let by = typed
            .some("by")
            .map_or_else(|| day.to_string(), str::to_owned);
        let address = typed
            .some("address")
            .map_or_else(|| self.claim.case.merchant.address.clone(), str::to_owned);
        let lines = vec![
            Field::input("date", "by", "By when")
                .value(by)
                .problems(problems)
                .into(),
            Field::area("address", "Where to", 4)
                .max_length(500)
                .value(address)
                .problems(problems)
                .into(),
        ];
        let text = "The shopper is told where to and by when, and can say that it is on its way.";
        deed(
            "Ask for the goods first",
            "return",
            text.into(),
            lines,
            "Ask for the goods".into(),
            false,
        )
    }

    fn draw(&self, staff: &Staff, typed: &Typed, problems: Problems) -> HttpResponse {
        let row = &self.claim.row;
        let order = &self.claim.case.order;
        let manages = staff.person.role.may_manage();
        let status = if problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        let photos = self
            .photos
            .iter()
            .map(|p| claim_picture(p, format!("/admin/claims/{}/photos/{}", row.id, p.id)));
        let page = ClaimPage {
            shell: staff.shell("orders"),
            title: format!(
                "Order {}: {}",
                order_number(order.number),
                say_kind(row.kind)
            ),
            badge: claim_badge(row),
            order: Link::new(
                format!("/admin/orders/{}", order.id),
                order_number(order.number),
            ),
            text: row.text.clone(),
            facts: self.facts(),
            photos: photos.collect(),
            deeds: if manages {
                self.deeds(typed, &problems, staff.office.now())
            } else {
                Vec::new()
            },
            problems,
        };
        pages::private(status, &page)
    }
}

/// `GET /admin/claims/{id}`
pub async fn page(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = known(&staff, &path).await?;
    Ok(known.draw(&staff, &Typed::default(), Problems::default()))
}

/// `GET /admin/claims/{id}/photos/{photo}`
pub async fn photo(
    staff: Staff,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Refusal> {
    let (merchant, claim, photo) = (
        staff.merchant.id,
        id::<ClaimId>(&path.0)?,
        id::<PhotoId>(&path.1)?,
    );
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let row = rows::photo(conn, photo)?.filter(|p| p.claim_id == claim);
        let owner = rows::by_id(conn, claim)?.filter(|c| c.merchant_id == merchant);
        match (row, owner) {
            (Some(row), Some(_)) => Ok(row.file),
            _ => Err(Problem::NotFound("photo")),
        }
    });
    let file = found.await?;
    Ok(photo_answer(&staff.office, file).await)
}

/// What was pressed.
enum Pressed {
    Decided(Decision),
    Received(Vec<(OptionId, i64, i64)>),
    Asked(chrono::NaiveDate, String),
}

fn pressed(known: &Known, deed: &str, typed: &Typed) -> Result<Pressed, Refusal> {
    Ok(match deed {
        "refund" => Pressed::Decided(Decision::Refund {
            shown: Some(typed.get("shown").parse().unwrap_or(-1)),
        }),
        "reship" => Pressed::Decided(Decision::Reship),
        "refuse" => Pressed::Decided(Decision::Refuse {
            reason: typed.get("reason").to_owned(),
        }),
        "part" => {
            let money = currency(&known.claim.case.order.currency)?;
            let amount = parse_decimal(typed.get("amount"), money)
                .map_err(|e| Problem::field("amount", e.to_string()))?;
            Pressed::Decided(Decision::Part {
                amount,
                reason: typed.get("part_reason").to_owned(),
            })
        }
        "received" => {
            let count = |name: String| typed.get(&name).trim().parse::<i64>().unwrap_or(-1);
            let lines = known.claim.lines.iter().map(|line| {
                let option = line.option_id;
                let good = count(format!("good_{option}"));
                (option, good, count(format!("bad_{option}")))
            });
            Pressed::Received(lines.collect())
        }
        "return" => {
            let by = parse_date(typed.get("by"));
            let by = by.ok_or_else(|| Problem::field("by", "write a date as YYYY-MM-DD"))?;
            Pressed::Asked(by, typed.get("address").to_owned())
        }
        _ => return Err(Refusal::NotFound),
    })
}

/// A workflow's name of a field as this page spells it.
fn at_fields(errors: &[FieldError], known: &Known, deed: &str) -> Problems {
    let own: Vec<FieldError> = errors
        .iter()
        .map(|e| {
            let index = e.field.strip_prefix("lines[");
            let index = index.and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
            let line = index.and_then(|i| known.claim.lines.get(i));
            match (line, e.field.as_str(), deed) {
                (Some(line), ..) => FieldError::new(format!("good_{}", line.option_id), &e.message),
                (None, "lines", _) => match known.claim.lines.first() {
                    Some(line) => FieldError::new(format!("good_{}", line.option_id), &e.message),
                    None => e.clone(),
                },
                (None, "reason", "part") => FieldError::new("part_reason", &e.message),
                _ => e.clone(),
            }
        })
        .collect();
    problems_of(&own)
}

/// `POST /admin/claims/{id}/{deed}`
pub async fn act(
    staff: Staff,
    path: web::Path<(String, String)>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = known(&staff, &path.0).await?;
    let typed = Typed::from(form.into_inner());
    let deed = path.1.clone();
    let done = match pressed(&known, &deed, &typed) {
        Ok(pressed) => {
            let (merchant, claim, name) = (staff.merchant.id, known.claim.row.id, staff.name());
            let (form, key) = (format!("claim:{claim}"), typed.get("form_key").to_owned());
            let work = staff.office.write(move |desk, tx| -> Result<(), Problem> {
                if !is_first(tx, &form, &key)? {
                    return Ok(());
                }
                match &pressed {
                    Pressed::Decided(d) => resolve(desk, tx, Some(merchant), claim, (&name, d)),
                    Pressed::Received(lines) => receive(desk, tx, merchant, claim, (&name, lines)),
                    Pressed::Asked(by, address) => {
                        ask_return(desk, tx, merchant, claim, (&name, *by, address))
                    }
                }
                .map(|_| ())
            });
            work.await.map_err(Refusal::from)
        }
        Err(e) => Err(e),
    };
    match done {
        Ok(()) => staff.done(
            "It is written down; the shopper is told by mail.",
            &format!("/admin/claims/{}", known.claim.row.id),
        ),
        Err(Refusal::Problem(Problem::Invalid(errors))) => {
            let problems = at_fields(&errors, &known, &deed);
            Ok(known.draw(&staff, &typed, problems))
        }
        Err(other) => Err(other),
    }
}

async fn case_of(staff: &Staff, path: &str) -> Result<Case, Refusal> {
    staff.manages()?;
    let (merchant, order) = (staff.merchant.id, id::<OrderId>(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let case = crate::workflows::claims::read(conn, order)?;
        if case.order.merchant_id == merchant {
            Ok(case)
        } else {
            Err(Problem::NotFound("order"))
        }
    });
    Ok(found.await?)
}

fn new_page(staff: &Staff, case: &Case, typed: &Typed, problems: Problems) -> HttpResponse {
    let href = format!("/admin/orders/{}", case.order.id);
    let number = order_number(case.order.number);
    let mut page = FormPage::new(
        staff.shell("orders"),
        format!("Something is wrong with order {number}"),
        format!("{href}/claims/new"),
    );
    page.crumbs = vec![
        Link::new("/admin/orders", "Orders"),
        Link::new(&href, &number),
    ];
    page.back = Some(Link::new(href, "Leave it"));
    page.lead = vec!["The shopper is told by mail that it is written down.".into()];
    let kinds = [
        (ClaimKind::Lost, "It never arrived"),
        (ClaimKind::Damaged, "It arrived damaged"),
        (ClaimKind::Wrong, "It is not what was ordered"),
        (ClaimKind::Returned, "It goes back, or came back"),
        (ClaimKind::Refused, "It was not accepted at the door"),
    ];
    let kinds = kinds.map(|(kind, label)| Choice::new(kind.as_str(), label));
    let mut lines: Vec<Line> = vec![
        Field::select("kind", "What", kinds.to_vec())
            .value(typed.get("kind"))
            .problems(&problems)
            .into(),
    ];
    for line in &case.lines {
        let most = case.claimable(line);
        if most > 0 {
            let name = format!("qty_{}", line.sku);
            let value = typed.get(&name).to_owned();
            let field = Field::input("number", name, case.name_of(line.option_id))
                .hint(format!("0 to {most}"))
                .range(Some("0".into()), Some(most.to_string()))
                .optional()
                .value(value)
                .problems(&problems);
            lines.push(field.into());
        }
    }
    lines.push(
        Field::area("text", "What is known", 4)
            .max_length(u32::try_from(MAX_TEXT).unwrap_or(2000))
            .optional()
            .value(typed.get("text"))
            .problems(&problems)
            .into(),
    );
    lines.push(Line::Hidden(
        "form_key".into(),
        crate::web::order::new_key(),
    ));
    page.sections = vec![Section::new("The matter", lines)];
    page.submit = "Write it down".to_owned();
    page.problems = problems;
    page.answer()
}

/// `GET /admin/orders/{id}/claims/new`
pub async fn new(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let case = case_of(&staff, &path).await?;
    Ok(new_page(
        &staff,
        &case,
        &Typed::default(),
        Problems::default(),
    ))
}

/// `POST /admin/orders/{id}/claims/new`
pub async fn make(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let case = case_of(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let mut lines = Vec::new();
    for line in &case.lines {
        let text = typed.get(&format!("qty_{}", line.sku)).trim();
        if !matches!(text, "" | "0") {
            lines.push((line.sku.clone(), text.parse().unwrap_or(-1)));
        }
    }
    let wrong = |errors: &[FieldError]| {
        let problems = crate::web::order::claim_problems(errors, &lines);
        Ok(new_page(&staff, &case, &typed, problems))
    };
    let Ok(kind) = typed.get("kind").parse::<ClaimKind>() else {
        return wrong(&[FieldError::new("kind", "Choose what is the matter.")]);
    };
    let wish = Report {
        order: case.order.id,
        kind,
        lines: lines.clone(),
        text: typed.get("text").to_owned(),
        photos: Vec::new(),
    };
    let who = Who::Staff(staff.name());
    let (form, key) = (
        format!("claim:{}", case.order.id),
        typed.get("form_key").to_owned(),
    );
    let done = staff.office.write(move |desk, tx| -> Result<(), Problem> {
        if is_first(tx, &form, &key)? {
            report(desk, tx, &wish, &who)?;
        }
        Ok(())
    });
    match done.await {
        Ok(()) => staff.done(
            "It is written down.",
            &format!("/admin/orders/{}", case.order.id),
        ),
        Err(Problem::Invalid(errors)) => wrong(&errors),
        Err(other) => Err(other.into()),
    }
}

/// Claims that wait for staff, the refunds of withdrawals before their last day among them.
///
/// # Errors
/// What the database says.
pub fn waiting(
    conn: &mut Conn,
    merchant: &MerchantRow,
    now: DateTime<Utc>,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    for claim in rows::of_merchant(conn, merchant.id, true, None, 20)? {
        let sent = claim.return_sent_at.is_some() || claim.state == ClaimState::Returned;
        // What the shopper has to send first waits for the shopper.
        if claim.state == ClaimState::AwaitingReturn && !sent {
            continue;
        }
        let Some(order) = orders::by_id(conn, claim.order_id)? else {
            continue;
        };
        let left = claim
            .refund_by
            .map(|day| (day - now.date_naive()).num_days());
        let number = order_number(order.number);
        things.push(Thing {
            tone: if left.is_some_and(|days| days <= WARN_DAYS) {
                "bad"
            } else {
                "wait"
            },
            icon: "box",
            title: format!("Order {number}: something {}", say_kind(claim.kind)),
            text: format!(
                "{}, since {}.",
                order.name,
                claim.opened_at.format("%-d %B")
            ),
            when: match claim.refund_by {
                Some(day) => format!("refund by {}", day.format("%-d %B")),
                None => "soon".to_owned(),
            },
            deed: Link::new(format!("/admin/claims/{}", claim.id), "Decide it"),
            urgency: left.unwrap_or(4).max(0),
        });
    }
    Ok(())
}
