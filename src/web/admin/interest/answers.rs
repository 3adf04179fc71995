//! Who answered an interest check, as a list and as CSV.

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use chrono::NaiveDateTime;
use futures_util::stream::try_unfold;
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::InterestId;
use crate::store::Conn;
use crate::store::campaigns::CampaignRow;
use crate::store::interest::{self as store, InterestLineRow, InterestRow};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{Cell, ListPage, PAGE, Table, zone_of};
use crate::web::view::{Empty, Link, Pager, plural};
use crate::workflows::desk::Problem;
use crate::workflows::exchange::cell;
use crate::workflows::interest::{self, WishLine};

/// Answers read at once for a file.
const AT_ONCE: i64 = 500;

/// Where a list goes on.
#[derive(Deserialize)]
pub struct Asked {
    cursor: Option<String>,
}

fn page_of(
    conn: &mut Conn,
    row: &CampaignRow,
    after: Option<InterestId>,
    limit: i64,
) -> Result<(Vec<InterestRow>, Vec<InterestLineRow>), Problem> {
    let rows = store::of_campaign(conn, row.id, after, limit)?;
    let ids: Vec<InterestId> = rows.iter().map(|r| r.id).collect();
    let lines = store::lines_of(conn, &ids)?;
    Ok((rows, lines))
}

/// `GET /admin/campaigns/{slug}/interest`
pub async fn list(
    staff: Staff,
    path: web::Path<String>,
    asked_for: web::Query<Asked>,
) -> Result<HttpResponse, Refusal> {
    let (row, draft) = asked(&staff, &path).await?;
    let after: Option<InterestId> = asked_for.cursor.as_deref().and_then(|c| c.parse().ok());
    let campaign = row.clone();
    let (answers, lines) = staff
        .office
        .read(move |conn| page_of(conn, &campaign, after, PAGE))
        .await?;
    let zone = zone_of(&row);
    let href = format!("/admin/campaigns/{}/interest", row.slug);
    let table = answers.iter().map(|answer| {
        let mine: Vec<WishLine> = lines
            .iter()
            .filter(|line| line.interest_id == answer.id)
            .map(|line| WishLine {
                sku: line.sku.clone(),
                quantity: line.quantity,
                up_to: line.up_to,
            })
            .collect();
        vec![
            Cell::Code(answer.email.clone().unwrap_or_else(|| "erased".to_owned())),
            Cell::text(answer.name.clone().unwrap_or_default()),
            Cell::text(interest::said(&draft, &mine).join("; ")),
            Cell::when(answer.changed_at, zone),
        ]
    });
    let count = i64::try_from(answers.len()).unwrap_or(0);
    let next = (count == PAGE)
        .then(|| {
            answers
                .last()
                .map(|last| format!("{href}?cursor={}", last.id))
        })
        .flatten();
    let page = ListPage {
        shell: staff.shell("campaigns"),
        title: format!("What people would buy of {}", row.title),
        lead: Some(
            "Nothing of it is ordered or charged. Addresses are erased a week after the campaign's end, or after a year."
                .into(),
        ),
        actions: vec![
            Link::new(format!("/admin/campaigns/{}", row.slug), "Back to it"),
            Link::new(format!("{href}.csv"), "All as CSV"),
        ],
        filters: vec![],
        action: href.clone(),
        table: Table::new(
            "Answers, in the order in which they came",
            vec![
                ("E-mail", false),
                ("Name", false),
                ("Would buy", false),
                ("Answered", false),
            ],
            table.collect(),
        ),
        empty: Empty {
            text: "Whoever says what they would buy will stand here.".into(),
            action: None,
        },
        pager: (next.is_some() || after.is_some()).then(|| Pager {
            shown: plural(count, "answer"),
            first: after.map(|_| href.clone()),
            next,
        }),
    };
    Ok(page.answer())
}

const COLUMNS: [&str; 9] = [
    "email",
    "name",
    "sku",
    "option",
    "quantity",
    "up_to",
    "currency",
    "answered_at",
    "changed_at",
];

/// `GET /admin/campaigns/{slug}/interest.csv`: a row for each line of each answer.
pub async fn csv(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let (row, draft) = asked(&staff, &path).await?;
    let office = staff.office.clone();
    let file = format!("interest-{}.csv", row.slug);
    // The next page is read when the browser has taken the one before.
    let begin = (None::<InterestId>, true, false);
    let pages = try_unfold(begin, move |(after, head, done)| {
        let (office, row, draft) = (office.clone(), row.clone(), draft.clone());
        async move {
            if done {
                return Ok(None);
            }
            let mut text = Vec::new();
            if head {
                text.extend(record(COLUMNS.iter().map(|c| Value::from(*c)))?);
            }
            let campaign = row.clone();
            let read = office.read(move |conn| page_of(conn, &campaign, after, AT_ONCE));
            let (answers, lines) = read.await?;
            for answer in &answers {
                for line in lines.iter().filter(|l| l.interest_id == answer.id) {
                    text.extend(record(cells(&row, &draft, answer, line).into_iter())?);
                }
            }
            let last = answers.last().map(|a| a.id);
            let done = i64::try_from(answers.len()).unwrap_or(0) < AT_ONCE;
            Ok::<_, Refusal>(Some((Bytes::from(text), (last, false, done))))
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{file}\""),
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .streaming(pages))
}

fn cells(
    row: &CampaignRow,
    draft: &CampaignDraft,
    answer: &InterestRow,
    line: &InterestLineRow,
) -> [Value; 9] {
    let option = draft.options.iter().find(|o| o.sku == line.sku);
    let at = |at: NaiveDateTime| {
        at.and_utc()
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    [
        json!(answer.email),
        json!(answer.name),
        json!(line.sku),
        json!(option.map(|o| &o.name)),
        json!(line.quantity),
        json!(line.up_to),
        json!(row.currency),
        json!(at(answer.created_at)),
        json!(at(answer.changed_at)),
    ]
}

fn record(values: impl Iterator<Item = Value>) -> Result<Vec<u8>, Refusal> {
    let broken = |e: String| Refusal::Problem(Problem::Internal(format!("csv: {e}")));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(values.map(|value| cell(&value)))
        .map_err(|e| broken(e.to_string()))?;
    writer.into_inner().map_err(|e| broken(e.to_string()))
}
