//! `muster import`: campaigns from CSV or JSON, as drafts, through the very checks of the API. Every row is reported; a
//! file in which one is wrong changes nothing, unless the good ones are asked for.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use diesel::Connection;
use serde_json::{Map, Value};

use super::Answer;
use super::export::Format;
use crate::app::ground;
use crate::config::Config;
use crate::domain::draft::FieldError;
use crate::domain::ids::MerchantId;
use crate::store::{Conn, StoreError, Tx, merchants, write_on};
use crate::web::api::campaign_input;
use crate::workflows::campaigns;
use crate::workflows::desk::Problem;
use crate::workflows::exchange::{OFFER, TOLD, uncelled};

/// What is brought in, and how.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// What is brought in. Orders are not: an order is a shopper's payment at the provider, and a row does not move
    /// money.
    #[arg(long, value_enum)]
    what: Kind,
    /// For whom: the merchant's name in addresses.
    #[arg(long, value_name = "SLUG")]
    merchant: String,
    /// csv or json; left out: what the file's name ends in.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Checks and reports every row, and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Keeps the good rows of a file in which others are wrong.
    #[arg(long)]
    keep_good: bool,
    /// The file to read, in UTF-8.
    file: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Campaigns,
}

/// What came of one row.
type Outcome = Result<String, Vec<FieldError>>;

/// Reads the file and makes what is in it.
pub(super) fn run(config: &Config, args: &ImportArgs) -> Answer {
    let rows = read(args)?;
    let ground = ground(config, "http://localhost", 1)?;
    let mut conn = ground.pool.get().map_err(|e| e.to_string())?;
    let slug = &args.merchant;
    let merchant = merchants::by_slug(&mut conn, slug)
        .map_err(|e| e.to_string())?
        .ok_or_else(|| format!("--merchant: there is no merchant {slug}"))?;
    let mut outcomes = Vec::new();
    let kept = write_on(&mut conn, ground.clock.now(), |tx| {
        for row in &rows {
            outcomes.push(match row {
                Ok(row) => match args.what {
                    Kind::Campaigns => campaign(tx, merchant.id, row)?,
                },
                Err(wrong) => Err(vec![wrong.clone()]),
            });
        }
        let wrong = outcomes.iter().any(Result::is_err);
        if args.dry_run || (wrong && !args.keep_good) {
            // Nothing of it stays: the transaction is taken back.
            return Err(Stop::TakenBack);
        }
        Ok(())
    });
    let kept = match kept {
        Ok(()) => true,
        Err(Stop::TakenBack) => false,
        Err(Stop::Problem(problem)) => return Err(problem.to_string()),
    };
    Ok(report(args, &outcomes, kept))
}

/// Why a transaction is not kept.
enum Stop {
    /// It was not meant to be, or a row was wrong.
    TakenBack,
    /// Something failed.
    Problem(Problem),
}

impl From<StoreError> for Stop {
    fn from(e: StoreError) -> Self {
        Stop::Problem(e.into())
    }
}

impl From<diesel::result::Error> for Stop {
    fn from(e: diesel::result::Error) -> Self {
        StoreError::from(e).into()
    }
}

/// Makes a draft of one row, or says what is wrong with it; a wrong row leaves nothing behind.
fn campaign(tx: &mut Tx, merchant: MerchantId, row: &Map<String, Value>) -> Result<Outcome, Stop> {
    let body: Map<String, Value> = row
        .iter()
        .filter(|(name, _)| !TOLD.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let now = tx.now;
    let input = match campaign_input(&Value::Object(body), now) {
        Ok(input) => input,
        Err(errors) => return Ok(Err(errors)),
    };
    let made = tx.conn.transaction(|conn: &mut Conn| {
        let mut inner = Tx::new(conn, now);
        campaigns::create(&mut inner, merchant, input)
    });
    match made {
        Ok(row) => Ok(Ok(row.slug)),
        Err(Problem::Invalid(errors)) => Ok(Err(errors)),
        Err(Problem::Conflict { message, .. }) => Ok(Err(vec![FieldError::new("", message)])),
        Err(problem) => Err(Stop::Problem(problem)),
    }
}

/// Prints what came of each row. Exit 0: all are good, 1: some are wrong.
fn report(args: &ImportArgs, outcomes: &[Outcome], kept: bool) -> ExitCode {
    let would = if kept { "made" } else { "good" };
    for (at, outcome) in outcomes.iter().enumerate() {
        let number = at + 1;
        match outcome {
            Ok(slug) => println!("row {number}: {would}, {slug}"),
            Err(errors) => {
                for e in errors {
                    if e.field.is_empty() {
                        println!("row {number}: {}", e.message);
                    } else {
                        println!("row {number}: {}: {}", e.field, e.message);
                    }
                }
            }
        }
    }
    let good = outcomes.iter().filter(|o| o.is_ok()).count();
    let wrong = outcomes.len() - good;
    match (kept, args.dry_run) {
        (true, _) => println!("{good} made as drafts, {wrong} refused"),
        (false, true) => println!("{good} good, {wrong} wrong; nothing was changed"),
        (false, false) => println!(
            "{good} good, {wrong} wrong; nothing was changed: put the wrong rows right, or add --keep-good"
        ),
    }
    ExitCode::from(u8::from(wrong > 0))
}

type Row = Result<Map<String, Value>, FieldError>;

fn read(args: &ImportArgs) -> Result<Vec<Row>, String> {
    let path = args.file.display();
    let bytes = std::fs::read(&args.file).map_err(|e| format!("{path}: {e}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("{path}: this is not UTF-8; save it as \"CSV UTF-8\" or as JSON"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let format = args.format.or_else(|| by_name(&args.file)).ok_or_else(|| {
        format!("{path}: say --format csv or --format json; the name does not tell")
    })?;
    match format {
        Format::Json => json_rows(text).map_err(|e| format!("{path}: {e}")),
        Format::Csv => csv_rows(text).map_err(|e| format!("{path}: {e}")),
    }
}

fn by_name(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "csv" => Some(Format::Csv),
        "json" => Some(Format::Json),
        _ => None,
    }
}

/// An array of objects; one object alone counts as one row.
fn json_rows(text: &str) -> Result<Vec<Row>, String> {
    let all = match serde_json::from_str(text) {
        Ok(Value::Array(rows)) => rows,
        Ok(Value::Object(row)) => vec![Value::Object(row)],
        Ok(_) => return Err("write an array of objects".to_owned()),
        Err(e) => return Err(format!("this is no JSON: {e}")),
    };
    Ok(all
        .into_iter()
        .map(|row| match row {
            Value::Object(fields) => Ok(fields),
            _ => Err(FieldError::new("", "write a JSON object")),
        })
        .collect())
}

/// Columns by their head; lists as JSON, numbers in digits, nothing where a cell is empty.
fn csv_rows(text: &str) -> Result<Vec<Row>, String> {
    let first = text.lines().next().unwrap_or_default();
    let semicolons = first.matches(';').count() > first.matches(',').count();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if semicolons { b';' } else { b',' })
        .from_reader(text.as_bytes());
    let head: Vec<String> = reader
        .headers()
        .map_err(|e| e.to_string())?
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    let unknown: Vec<&str> = head
        .iter()
        .map(String::as_str)
        .filter(|name| !OFFER.contains(name) && !TOLD.contains(name))
        .collect();
    if !unknown.is_empty() {
        return Err(format!(
            "there is no column {}; the columns are {}",
            unknown.join(", "),
            OFFER.join(", ")
        ));
    }
    Ok(reader
        .records()
        .map(|record| {
            let record = record.map_err(|e| FieldError::new("", e.to_string()))?;
            let mut row = Map::new();
            for (name, typed) in head.iter().zip(record.iter()) {
                let typed = uncelled(typed);
                if !typed.trim().is_empty() {
                    row.insert(name.clone(), value(name, typed)?);
                }
            }
            Ok(row)
        })
        .collect())
}

/// A cell as the API's body has it.
fn value(name: &str, typed: &str) -> Result<Value, FieldError> {
    let wrong = |say: &str| FieldError::new(name, say);
    match name {
        "threshold" | "steps" | "options" | "supplier_ids" | "shipping" | "tax" => {
            serde_json::from_str(typed).map_err(|_| wrong("write it as JSON, as in an export"))
        }
        "handling_days" | "deposit_percent" | "safety_percent" => typed
            .trim()
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| wrong("write a whole number")),
        "interest" | "late_joins" => typed
            .trim()
            .to_lowercase()
            .parse::<bool>()
            .map(Value::from)
            .map_err(|_| wrong("write true or false")),
        "description" => Ok(Value::from(typed)),
        _ => Ok(Value::from(typed.trim())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::draft::{
        BandInput, CampaignInput, OptionInput, ShippingInput, TaxInput, ThresholdInput,
    };
    use crate::workflows::exchange::cell;

    /// Texts as people type them, with all that spreadsheets, CSV and JSON have a meaning for.
    fn text() -> impl Strategy<Value = String> {
        r#"[\pL\pN =+@'",;\[\]{}\\\-]{0,24}[\pL\pN'"}\]]"#.prop_map(|t| t.trim().to_owned())
    }

    fn option() -> impl Strategy<Value = OptionInput> {
        (
            text(),
            text(),
            of(vec(any::<i64>(), 0..4)),
            of(any::<i64>()),
            of(any::<i64>()),
        )
            .prop_map(|(sku, name, prices, minimum, cap)| OptionInput {
                sku: Some(sku),
                name: Some(name),
                prices,
                minimum,
                cap,
                made_to_order: Some(true),
                ..OptionInput::default()
            })
    }

    fn body() -> impl Strategy<Value = CampaignInput> {
        let words = (text(), of(text()), of("[^\r\0]{0,60}[a-z]"), of(text()));
        let numbers = (of(any::<i64>()), of(any::<i64>()), of(any::<bool>()));
        let lists = (
            of(vec(any::<i64>(), 0..5)),
            of(vec(option(), 0..3)),
            of((text(), any::<i64>())),
            of(vec(text(), 0..3)),
        );
        (words, numbers, lists).prop_map(|(words, numbers, (steps, options, money, ids))| {
            CampaignInput {
                title: Some(words.0),
                slug: words.1,
                description: words.2,
                time_zone: words.3,
                handling_days: numbers.0,
                deposit_percent: numbers.1,
                late_joins: numbers.2,
                steps,
                options,
                supplier_ids: ids,
                threshold: money.clone().map(|(kind, target)| ThresholdInput {
                    kind: Some(kind),
                    target: Some(target),
                }),
                shipping: money.clone().map(|(country, price)| {
                    vec![ShippingInput {
                        countries: Some(vec![country]),
                        price: Some(price),
                        bands: Some(vec![BandInput {
                            up_to_units: None,
                            up_to_grams: Some(price),
                            price: Some(price),
                        }]),
                    }]
                }),
                tax: money.map(|(percent, rate)| {
                    vec![TaxInput {
                        countries: None,
                        rate_basis_points: Some(rate),
                        percent: Some(percent),
                        included: Some(false),
                        name: Some("VAT".to_owned()),
                    }]
                }),
                ..CampaignInput::default()
            }
        })
    }

    proptest! {
        #[test]
        fn what_goes_out_as_csv_or_json_comes_in_as_the_same_body(some in vec(body(), 1..4)) {
            let bodies: Vec<Map<String, Value>> = some
                .iter()
                .map(|body| match serde_json::to_value(body).unwrap() {
                    Value::Object(fields) => fields,
                    other => panic!("{other}"),
                })
                .collect();
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(OFFER).unwrap();
            for body in &bodies {
                writer.write_record(OFFER.iter().map(|name| cell(&body[*name]))).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let there = |row: &Row| -> CampaignInput {
                serde_json::from_value(Value::Object(row.clone().unwrap())).unwrap()
            };
            let back: Vec<CampaignInput> = csv_rows(&text).unwrap().iter().map(there).collect();
            prop_assert_eq!(&back, &some);
            let text = serde_json::to_string(&bodies).unwrap();
            let back: Vec<CampaignInput> = json_rows(&text).unwrap().iter().map(there).collect();
            prop_assert_eq!(&back, &some);
        }
    }

    #[test]
    fn a_csv_row_is_the_apis_body() {
        let rows = csv_rows(
            "title;currency;steps;handling_days;state\n\"'=Ridge\";usd;\"[1, 5]\";3;open\nx;eur;[1;2;draft\n",
        )
        .unwrap();
        let first = rows[0].as_ref().unwrap();
        assert_eq!(
            Value::Object(first.clone()),
            json!({"title": "=Ridge", "currency": "usd", "steps": [1, 5], "handling_days": 3, "state": "open"})
        );
        assert_eq!(rows[1].as_ref().unwrap_err().field, "steps");
    }

    #[test]
    fn a_wrong_column_is_told_with_the_right_ones() {
        let said = csv_rows("titel,currency\nx,usd\n").unwrap_err();
        assert!(said.contains("titel") && said.contains("title"), "{said}");
    }

    #[test]
    fn json_is_an_array_or_one_object() {
        assert_eq!(json_rows("[{}, 1]").unwrap().len(), 2);
        assert_eq!(json_rows("{\"title\": \"x\"}").unwrap().len(), 1);
        assert!(json_rows("7").is_err());
        assert!(json_rows("{").is_err());
    }
}
