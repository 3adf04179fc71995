//! Claims in the panel: what is open, each with its photos, and what staff decide about it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Duration, Utc};

use super::form::{Line, Pairs, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{Facts, fact, id, short};
use super::{claim_list, claim_report};
use crate::domain::claim::{ClaimKind, ClaimState};
use crate::domain::day::{day_of, parse_date};
use crate::domain::draft::FieldError;
use crate::domain::ids::{ClaimId, OptionId, PhotoId};
use crate::domain::money::parse_decimal;
use crate::store::Conn;
use crate::store::claims::{self as rows, ClaimPhotoRow};
use crate::web::order::{claim_badge, claim_picture, photo_answer};
use crate::web::pages;
use crate::web::view::{Badge, Day, Field, Link, PanelShell, Picture, Problems};
use crate::workflows::claims::decide::{Claim, Decision, read, resolve};
use crate::workflows::claims::returns::{ask_return, receive};
use crate::workflows::claims::say_kind;
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::forms::is_first;
use crate::workflows::money::{currency, say};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/claims", web::get().to(claim_list::list))
        .route("/claims/{id}", web::get().to(page))
        .route("/claims/{id}/photos/{photo}", web::get().to(photo))
        .route("/claims/{id}/{deed}", web::post().to(act))
        .route("/orders/{id}/claims/new", web::get().to(claim_report::new))
        .route(
            "/orders/{id}/claims/new",
            web::post().to(claim_report::make),
        );
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
                self.claim.case.say_units(&self.claim.units()).join("; "),
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
                // Without stock there is nothing to press.
                missing.map_or_else(|| "Send it again".into(), |_| String::new()),
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
