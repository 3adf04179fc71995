//! Staff set a date: the form, what it would do, and the press that sends the notices.

use actix_web::{HttpResponse, web};
use chrono::NaiveDate;

use super::{is_open, one, words};
use crate::domain::day::parse_date;
use crate::domain::draft::FieldError;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::{Tx, promises};
use crate::web::admin::batch::{href, title};
use crate::web::admin::dates::day;
use crate::web::admin::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::fact;
use crate::web::order::new_key;
use crate::web::view::{Day, Field, Link, Problems, plural};
use crate::workflows::desk::{Desk, Problem, offer};
use crate::workflows::forms::{is_first, was_sent};
use crate::workflows::notices::{self, Moved, Preview};

/// The form's fields.
const FIELDS: [&str; 5] = ["arrives", "ship_date", "unknown", "reason", "stop_loss"];

/// Keys of the form are kept under this name.
fn form_of(batch: &BatchRow) -> String {
    format!("dates:{}", batch.id)
}

/// The batch, where its date can be set.
async fn open(staff: &Staff, path: &str) -> Result<(CampaignRow, BatchRow), Refusal> {
    staff.manages()?;
    let (campaign, batch) = one(staff, path).await?;
    let id = batch.id;
    let given_up = staff
        .office
        .read(move |conn| Ok::<_, Problem>(promises::given_up(conn, id)?))
        .await?;
    if given_up.is_some() || !is_open(&batch) {
        let say = "Nothing of this batch is shipped any more, so no date can be set.";
        return Err(Problem::conflict("wrong-state", say).into());
    }
    Ok((campaign, batch))
}

/// `GET /admin/batches/{id}/dates/new`
pub async fn form(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let (campaign, batch) = open(&staff, &path).await?;
    let (typed, none) = (Typed::default(), Problems::default());
    Ok(draw(&staff, &campaign, &batch, &typed, none).answer())
}

fn frame(staff: &Staff, campaign: &CampaignRow, batch: &BatchRow, what: &str) -> FormPage {
    let dates = format!("{}/dates", href(batch));
    let mut page = FormPage::new(staff.shell("batches"), what, format!("{dates}/new"));
    page.crumbs = vec![
        Link::new(href(batch), title(campaign, batch)),
        Link::new(&dates, "Dates and answers"),
    ];
    page.back = Some(Link::new(dates, "Leave it as it is"));
    page
}

fn draw(
    staff: &Staff,
    campaign: &CampaignRow,
    batch: &BatchRow,
    typed: &Typed,
    problems: Problems,
) -> FormPage {
    let mut page = frame(staff, campaign, batch, "Set a date");
    page.lead = vec![
        "First you see what it would do. Nobody is told before you press the button on the next page.".into(),
    ];
    let mut handling = String::new();
    if let Ok(draft) = offer(campaign) {
        page.facts = vec![
            fact("Promised", Day(draft.promised_ship_date).text()),
            fact("The goods arrive", day(batch.arrives)),
            fact("Parcels go out", day(batch.ship_date)),
            fact("Stop-loss", Day(draft.stop_loss_date).text()),
        ];
        handling = format!(
            "Left empty it is the arrival and {} for packing. Shoppers read this date.",
            plural(i64::from(draft.handling_days), "day")
        );
    }
    let field = |field: Field| -> Line {
        let value = typed.get(&field.name).to_owned();
        field.value(value).problems(&problems).into()
    };
    page.sections = vec![
        Section::new(
            "The date",
            vec![
                Line::Row(vec![
                    field(Field::input("date", "arrives", "The goods arrive on").optional()),
                    field(
                        Field::input("date", "ship_date", "Parcels go out on")
                            .hint(handling)
                            .optional(),
                    ),
                ]),
                Line::Tick(
                    "unknown".into(),
                    "The date is not known".into(),
                    typed.ticked("unknown"),
                    "Shoppers are told so, and choose whether they wait without a date.".into(),
                ),
                field(
                    Field::area("reason", "Why", 3)
                        .hint("Shoppers read it as you write it.")
                        .max_length(500),
                ),
            ],
        ),
        Section::new(
            "A later last day",
            vec![field(
                Field::input("date", "stop_loss", "Stop-loss date to ask for")
                    .hint(
                        "It moves only for shoppers who agree to it; for the others the old one stays. Left empty it stays for \
                         all.",
                    )
                    .optional(),
            )],
        ),
    ];
    page.submit = "Show what it would do".into();
    page.problems = problems;
    page
}

/// What was typed, as a date to be looked at; else what is wrong with it.
fn asked(typed: &Typed) -> Result<Moved, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut day = |name: &str| -> Option<NaiveDate> {
        let text = typed.some(name)?;
        let day = parse_date(text);
        if day.is_none() {
            errors.push(FieldError::new(name, "write a day, such as 2027-06-05"));
        }
        day
    };
    let moved = Moved {
        arrives: day("arrives"),
        ship_date: day("ship_date"),
        stop_loss: day("stop_loss"),
        reason: typed.get("reason").trim().to_owned(),
    };
    let named = typed.some("arrives").or(typed.some("ship_date")).is_some();
    match (typed.ticked("unknown"), named) {
        (true, true) => errors.push(FieldError::new(
            "arrives",
            "write a day or tick that it is not known, not both",
        )),
        (false, false) => errors.push(FieldError::new(
            "arrives",
            "write when the goods arrive or when parcels go out, or tick that it is not known",
        )),
        (true, false) | (false, true) => {}
    }
    if moved.reason.is_empty() {
        let say = "write why the date moves: shoppers read it";
        errors.push(FieldError::new("reason", say));
    }
    if errors.is_empty() {
        Ok(moved)
    } else {
        Err(errors)
    }
}

/// Whom it concerns, in a line that changes when that changes.
fn mark(looked: &Preview) -> String {
    let Preview {
        told,
        agrees,
        cancels,
        on_silence,
        ..
    } = looked;
    format!("{told}.{agrees}.{cancels}.{on_silence}")
}

/// `POST /admin/batches/{id}/dates/new`
pub async fn act(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let typed = Typed::from(form.into_inner());
    let key = typed.get("form_key").to_owned();
    let (campaign, batch) = open(&staff, &path).await?;
    let back = format!("{}/dates", href(&batch));
    if typed.get("do") == "change" {
        let none = Problems::default();
        return Ok(draw(&staff, &campaign, &batch, &typed, none).answer());
    }
    if !key.is_empty() {
        let (form, key) = (form_of(&batch), key.clone());
        let sent = staff
            .office
            .read(move |conn| was_sent(conn, &form, &key))
            .await?;
        if sent {
            return staff.done("This date was set already.", &back);
        }
    }
    let wanted = match asked(&typed) {
        Ok(wanted) => wanted,
        Err(errors) => {
            return Ok(draw(&staff, &campaign, &batch, &typed, problems_of(&errors)).answer());
        }
    };
    let (id, now) = (batch.id, staff.office.now());
    let looked = staff
        .office
        .read(move |conn| -> Result<_, Problem> {
            let moved = notices::moved(conn, id, wanted.clone(), now)?;
            let looked = notices::preview(conn, id, &moved, now)?;
            Ok((moved, looked))
        })
        .await;
    let (moved, looked) = match looked {
        Ok(looked) => looked,
        Err(Problem::Invalid(errors)) => {
            return Ok(draw(&staff, &campaign, &batch, &typed, problems_of(&errors)).answer());
        }
        Err(other) => return Err(other.into()),
    };
    let seen = typed.get("shown");
    if key.is_empty() || seen != mark(&looked) {
        let again = !key.is_empty();
        return Ok(shown(&staff, (&campaign, &batch), &typed, &moved, &looked, again).answer());
    }
    send(&staff, &batch, moved, &looked, key, &back).await
}

async fn send(
    staff: &Staff,
    batch: &BatchRow,
    moved: Moved,
    looked: &Preview,
    key: String,
    back: &str,
) -> Result<HttpResponse, Refusal> {
    let (id, form, by) = (batch.id, form_of(batch), staff.name());
    staff
        .office
        .write(move |desk: &Desk, tx: &mut Tx| -> Result<(), Problem> {
            if is_first(tx, &form, &key)? {
                notices::announce(desk, tx, id, moved.clone(), &by)?;
            }
            Ok(())
        })
        .await?;
    let said = match words::mails(looked) {
        0 => "The date counts now.".to_owned(),
        n => format!(
            "The date counts now; {} are being told.",
            plural(n, "shopper")
        ),
    };
    staff.done(said, back)
}

/// What it would do, before the press that does it.
fn shown(
    staff: &Staff,
    (campaign, batch): (&CampaignRow, &BatchRow),
    typed: &Typed,
    moved: &Moved,
    looked: &Preview,
    again: bool,
) -> FormPage {
    let what = match moved.ship_date {
        Some(day) => format!("Parcels go out on {}", Day(day).text()),
        None => "The date is not known".to_owned(),
    };
    let mut page = frame(staff, campaign, batch, &what);
    if again {
        page.lead.push(
            "Since you looked, the orders it concerns have changed. Nothing was sent: look once more.".into(),
        );
    }
    page.lead.push(match words::mails(looked) {
        0 => "Nobody needs to hear of it: every shopper knows this date already, or is not concerned.".into(),
        n => format!("{} get a notice, at once. This can't be taken back.", plural(n, "shopper")),
    });
    if looked.beyond_stop_loss {
        page.lead.push(
            "The date lies after the stop-loss date, so it counts as not known: shoppers are told that, and that they are \
             refunded the day after the stop-loss date, unless it is shipped by then."
                .into(),
        );
    }
    page.facts = vec![
        fact("The goods arrive", day(moved.arrives)),
        fact("Shoppers read", day(moved.ship_date)),
    ];
    let later = moved.stop_loss;
    page.facts
        .extend(later.map(|day| fact("Later last day to agree to", Day(day).text())));
    page.facts.extend(words::facts(looked, &campaign.currency));
    let mut lines = vec![Line::Text(format!("The reason: {}", moved.reason))];
    for name in FIELDS {
        if typed.some(name).is_some() {
            lines.push(Line::Hidden(name.into(), typed.get(name).to_owned()));
        }
    }
    lines.push(Line::Hidden("shown".into(), mark(looked)));
    lines.push(Line::Hidden("form_key".into(), new_key()));
    lines.push(Line::Button("change".into(), "Change it".into()));
    page.sections = vec![Section::new("As shoppers read it", lines)];
    page.submit = match words::mails(looked) {
        0 => "Set this date".into(),
        n => format!("Set it and tell {}", plural(n, "shopper")),
    };
    page
}
