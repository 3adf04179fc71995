//! Reading a file as carriers and spreadsheets write it: columns by their heads in any order; comma, semicolon or tab;
//! UTF-8 with or without a mark, UTF-16, or Windows-1252.

use std::collections::BTreeMap;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Most bytes of a file.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Most rows of a file: they are recorded in one transaction.
pub const MAX_ROWS: usize = 1000;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The order's number.
    Order,
    /// The parcel's number.
    Parcel,
    /// Who carries it.
    Carrier,
    /// Where it can be followed.
    Tracking,
    /// When the carrier took it.
    HandedOver,
    /// When it arrived.
    Delivered,
}

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line in the file, 1 for the head.
    pub line: u64,
    /// What is written, by column; empty cells are left out.
    pub cells: BTreeMap<Column, String>,
}

impl Row {
    /// What is written in a column.
    pub fn get(&self, column: Column) -> Option<&str> {
        self.cells.get(&column).map(String::as_str)
    }
}

/// A file, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    /// Its rows; empty ones are left out.
    pub rows: Vec<Row>,
    /// Heads of columns that are not used.
    pub unused: Vec<String>,
}

/// A file's bytes as text.
pub fn decode(bytes: &[u8]) -> String {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => guess(bytes),
    };
    // Takes the mark away where there is one.
    encoding.decode(bytes).0.into_owned()
}

/// Without a mark: every other byte of UTF-16 is nought in most texts; what is no UTF-8 comes from an old program.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let head = &bytes[..bytes.len().min(4096)];
    let zeros = |from: usize| {
        head.iter()
            .skip(from)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    if odd > head.len() / 4 && odd > even {
        UTF_16LE
    } else if even > head.len() / 4 {
        UTF_16BE
    } else if std::str::from_utf8(bytes).is_ok() {
        UTF_8
    } else {
        WINDOWS_1252
    }
}

/// The column that a head means.
fn column_of(head: &str) -> Option<Column> {
    let word: String = head
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    Some(match word.as_str() {
        "order" | "ordernumber" | "orderno" => Column::Order,
        "parcel" | "parcelnumber" | "parcelno" | "shipment" | "shipmentnumber" => Column::Parcel,
        "carrier" => Column::Carrier,
        "tracking" | "trackingnumber" | "trackingno" | "trackingcode" => Column::Tracking,
        "handedover" | "handedoverat" | "shipped" | "shippedat" => Column::HandedOver,
        "delivered" | "deliveredat" => Column::Delivered,
        _ => return None,
    })
}

/// What divides the columns: what stands most often in the head.
fn delimiter(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let count = |byte: u8| head.bytes().filter(|b| *b == byte).count();
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|byte| (count(*byte), *byte == b','))
        .unwrap_or(b',')
}

/// Reads a file's text.
///
/// # Errors
/// A sentence that says what the file should be.
pub fn read(text: &str) -> Result<Sheet, String> {
    if text.trim().is_empty() {
        return Err("The file is empty. Its first line names the columns.".to_owned());
    }
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let broken = |e: csv::Error| format!("The file is no table: {e}.");
    let heads = reader.headers().map_err(broken)?.clone();
    let columns: Vec<Option<Column>> = heads.iter().map(column_of).collect();
    let mut named: Vec<Column> = columns.iter().flatten().copied().collect();
    named.sort_unstable();
    if let Some(twice) = named.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!(
            "Two columns mean the same ({:?}). Keep one of them.",
            twice[0]
        ));
    }
    if !named
        .iter()
        .any(|c| matches!(c, Column::Order | Column::Parcel))
    {
        let found: Vec<&str> = heads.iter().collect();
        return Err(format!(
            "No column is called order or parcel; the first line reads {}. Name the columns order, parcel, carrier, tracking, handed_over_at, delivered_at.",
            found.join(", ").chars().take(200).collect::<String>()
        ));
    }
    let mut sheet = Sheet {
        rows: Vec::new(),
        unused: heads
            .iter()
            .zip(&columns)
            .filter(|(head, column)| column.is_none() && !head.is_empty())
            .map(|(head, _)| head.chars().take(60).collect())
            .collect(),
    };
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells: BTreeMap<Column, String> = columns
            .iter()
            .zip(&record)
            .filter_map(|(column, cell)| Some(((*column)?, clean(cell)?)))
            .collect();
        if cells.is_empty() {
            continue;
        }
        sheet.rows.push(Row { line, cells });
        if sheet.rows.len() > MAX_ROWS {
            return Err(format!(
                "The file has more than {MAX_ROWS} rows. Divide it into several."
            ));
        }
    }
    if sheet.rows.is_empty() {
        return Err("The file has heads and no rows.".to_owned());
    }
    Ok(sheet)
}

/// A cell without what spreadsheets need: the mark that says that it is text.
fn clean(cell: &str) -> Option<String> {
    let text: String = cell
        .trim_start_matches('\'')
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Row {
        read(text).unwrap().rows[0].clone()
    }

    #[test]
    fn columns_are_known_by_their_heads_in_any_order() {
        let row = first("Tracking Number;weight;ORDER\n1Z9;3;M-0007\n");
        assert_eq!(row.get(Column::Order), Some("M-0007"));
        assert_eq!(row.get(Column::Tracking), Some("1Z9"));
        assert_eq!(row.line, 2);
        let sheet = read("Tracking Number;weight;ORDER\n1Z9;3;M-0007\n").unwrap();
        assert_eq!(sheet.unused, ["weight"]);
    }

    #[test]
    fn commas_semicolons_and_tabs_divide() {
        for divider in [",", ";", "\t"] {
            let text = format!("order{divider}carrier\n\"M-0007\"{divider}DHL\n");
            assert_eq!(first(&text).get(Column::Carrier), Some("DHL"));
        }
    }

    #[test]
    fn every_encoding_that_programs_write_is_read() {
        let text = "order,carrier\nM-0007,Österreichische Post\n";
        let utf16 = |little: bool| -> Vec<u8> {
            text.encode_utf16()
                .flat_map(|unit| {
                    if little {
                        unit.to_le_bytes()
                    } else {
                        unit.to_be_bytes()
                    }
                })
                .collect()
        };
        let marked = |mark: &[u8], rest: Vec<u8>| [mark, &rest].concat();
        let files = [
            text.as_bytes().to_vec(),
            marked(&[0xef, 0xbb, 0xbf], text.as_bytes().to_vec()),
            utf16(true),
            utf16(false),
            marked(&[0xff, 0xfe], utf16(true)),
            marked(&[0xfe, 0xff], utf16(false)),
            WINDOWS_1252.encode(text).0.into_owned(),
        ];
        for bytes in files {
            assert_eq!(decode(&bytes), text, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_such_file_is_told_in_a_sentence() {
        for wrong in [
            "",
            "  \n",
            "order,carrier\n",
            "name,weight\nAna,3\n",
            "order,order number\n1,2\n",
        ] {
            let said = read(wrong).unwrap_err();
            assert!(said.ends_with('.'), "{said}");
        }
        let many = format!("order\n{}", "1\n".repeat(MAX_ROWS + 1));
        assert!(read(&many).unwrap_err().contains("1000"));
    }

    #[test]
    fn a_mark_that_says_text_and_empty_rows_are_left_out() {
        let sheet = read("order,tracking\n,\nM-1,'=1+1\n").unwrap();
        assert_eq!(sheet.rows.len(), 1);
        assert_eq!(sheet.rows[0].get(Column::Tracking), Some("=1+1"));
    }
}
