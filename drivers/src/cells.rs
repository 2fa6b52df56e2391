//! Rows in the wire form of CQL: cells of a 4-byte length, big-endian, and that many bytes; -1 is
//! null. They cross to and from C++ like this, and mostly go on to the driver by one copy.
use std::error::Error;
use std::fmt;

use bytes::Bytes;
use scylla::deserialize::row::{ColumnIterator, DeserializeRow};
use scylla::deserialize::{DeserializationError, TypeCheckError};
use scylla::frame::response::result::ColumnSpec;
use scylla::response::query_result::QueryRowsResult;
use scylla::serialize::SerializationError;
use scylla::serialize::batch::{BatchValues, BatchValuesIterator};
use scylla::serialize::row::{RowSerializationContext, SerializeRow};
use scylla::serialize::writers::RowWriter;

use crate::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCells;

impl fmt::Display for BadCells {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the values do not fit the markers of the statement")
    }
}

impl Error for BadCells {}

/// The first cell (None: null), and what follows it.
fn split_cell(cells: &[u8]) -> Result<(Option<&[u8]>, &[u8]), BadCells> {
    let (length, rest) = cells.split_first_chunk().ok_or(BadCells)?;
    match i32::from_be_bytes(*length) {
        -1 => Ok((None, rest)),
        length => {
            let length = usize::try_from(length).map_err(|_| BadCells)?;
            let (value, rest) = rest.split_at_checked(length).ok_or(BadCells)?;
            Ok((Some(value), rest))
        }
    }
}

/// The first row, of `columns` cells, and what follows it.
pub fn split_row(cells: &[u8], columns: usize) -> Result<(&[u8], &[u8]), BadCells> {
    let mut rest = cells;
    for _ in 0..columns {
        rest = split_cell(rest)?.1;
    }
    Ok(cells.split_at(cells.len() - rest.len()))
}

/// Fails unless `cells` are `count` rows and nothing else.
pub fn check_rows(cells: &[u8], columns: usize, count: usize) -> Result<(), BadCells> {
    let mut rest = cells;
    for _ in 0..count {
        rest = split_row(rest, columns)?.1;
    }
    if rest.is_empty() { Ok(()) } else { Err(BadCells) }
}

/// The values of one row.
pub struct Row<'a>(pub &'a [u8]);

impl SerializeRow for Row<'_> {
    fn serialize(
        &self,
        context: &RowSerializationContext<'_>,
        writer: &mut RowWriter,
    ) -> Result<(), SerializationError> {
        write_row(self.0, context.columns().len(), writer).map(|_| ())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes the first row; returns what follows it.
fn write_row<'a>(
    cells: &'a [u8],
    columns: usize,
    writer: &mut RowWriter,
) -> Result<&'a [u8], SerializationError> {
    let mut rest = cells;
    for _ in 0..columns {
        let (value, after) = split_cell(rest).map_err(SerializationError::new)?;
        let cell = writer.make_cell_writer();
        match value {
            Some(value) => {
                cell.set_value(value).map_err(SerializationError::new)?;
            }
            None => {
                cell.set_null();
            }
        }
        rest = after;
    }
    Ok(rest)
}

/// The values of all rows of a batch of one statement.
pub struct Rows<'a> {
    pub cells: &'a [u8],
    pub columns: usize,
    pub count: usize,
}

/// What is skipped is passed over only when a row behind it is wanted: before it sends a batch, the
/// driver skips all of it.
pub struct RowsIterator<'a> {
    rest: &'a [u8],
    columns: usize,
    left: usize,
    skipped: usize,
}

impl BatchValues for Rows<'_> {
    type BatchValuesIter<'r>
        = RowsIterator<'r>
    where
        Self: 'r;

    fn batch_values_iter(&self) -> Self::BatchValuesIter<'_> {
        RowsIterator { rest: self.cells, columns: self.columns, left: self.count, skipped: 0 }
    }
}

impl RowsIterator<'_> {
    fn write_next(&mut self, writer: &mut RowWriter) -> Result<(), SerializationError> {
        for _ in 0..std::mem::take(&mut self.skipped) {
            self.rest = split_row(self.rest, self.columns).map_err(SerializationError::new)?.1;
        }
        self.rest = write_row(self.rest, self.columns, writer)?;
        Ok(())
    }
}

impl<'a> BatchValuesIterator<'a> for RowsIterator<'a> {
    fn serialize_next(
        &mut self,
        _: &RowSerializationContext<'_>,
        writer: &mut RowWriter,
    ) -> Option<Result<(), SerializationError>> {
        self.left = self.left.checked_sub(1)?;
        Some(self.write_next(writer))
    }

    fn is_empty_next(&mut self) -> Option<bool> {
        self.skip_next().map(|()| false)
    }

    fn skip_next(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        self.skipped += 1;
        Some(())
    }
}

/// All rows of an answer as they came, without a copy.
pub fn rows_of(answer: &QueryRowsResult) -> Result<Bytes, Failure> {
    let corrupt = |error: &dyn Error| Failure::corrupt(format!("the rows received: {error}"));
    for row in answer.rows::<WholeFrame>().map_err(|error| corrupt(&error))? {
        if let WholeFrame(Some(frame)) = row.map_err(|error| corrupt(&error))? {
            return Ok(frame);
        }
    }
    let nulls = answer.rows_num() * answer.column_specs().len();
    Ok(Bytes::from(vec![0xff; 4 * nulls]))
}

/// Every value of an answer knows the bytes of all rows, which it is a part of. None when all
/// values of the row are null.
struct WholeFrame(Option<Bytes>);

impl<'frame, 'metadata> DeserializeRow<'frame, 'metadata> for WholeFrame {
    fn type_check(_: &[ColumnSpec]) -> Result<(), TypeCheckError> {
        Ok(())
    }

    fn deserialize(row: ColumnIterator<'frame, 'metadata>) -> Result<Self, DeserializationError> {
        for column in row {
            if let Some(value) = column?.slice {
                return Ok(WholeFrame(Some(value.as_original_frame_bytes().clone())));
            }
        }
        Ok(WholeFrame(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NULL: &[u8] = &[0xff, 0xff, 0xff, 0xff];

    fn cell(value: &[u8]) -> Vec<u8> {
        let length = i32::try_from(value.len()).unwrap();
        [&length.to_be_bytes(), value].concat()
    }

    #[test]
    fn a_row_goes_out_as_it_came_in() {
        let row = [cell(b"meter").as_slice(), NULL, &cell(b""), &cell(&[0; 300])].concat();
        let mut out = Vec::new();
        let rest = write_row(&row, 4, &mut RowWriter::new(&mut out)).unwrap();
        assert!(rest.is_empty());
        assert_eq!(out, row);
    }

    #[test]
    fn rows_are_told_apart() {
        let first = [cell(b"a"), cell(b"bc")].concat();
        let second = [NULL, &cell(b"d")].concat();
        let both = [first.clone(), second.clone()].concat();
        assert_eq!(split_row(&both, 2), Ok((first.as_slice(), second.as_slice())));
        assert_eq!(check_rows(&both, 2, 2), Ok(()));

        let rows = Rows { cells: &both, columns: 2, count: 2 };
        let mut skipping = rows.batch_values_iter();
        assert_eq!(skipping.is_empty_next(), Some(false));
        assert_eq!(skipping.skip_next(), Some(()));
        assert_eq!(skipping.skip_next(), None);

        let context = RowSerializationContext::from_specs(&[]);
        let mut written = rows.batch_values_iter();
        written.skip_next();
        let mut out = Vec::new();
        let mut writer = RowWriter::new(&mut out);
        assert!(written.serialize_next(&context, &mut writer).unwrap().is_ok());
        assert!(written.serialize_next(&context, &mut writer).is_none());
        assert_eq!(out, second);
    }

    #[test]
    fn what_is_cut_or_too_much_is_refused() {
        let row = [cell(b"a"), cell(b"bc")].concat();
        for length in 0..row.len() {
            assert_eq!(check_rows(&row[..length], 2, 1), Err(BadCells), "{length}");
        }
        assert_eq!(check_rows(&row, 2, 0), Err(BadCells));
        assert_eq!(check_rows(&row, 1, 1), Err(BadCells));
        assert_eq!(check_rows(&row, 2, 2), Err(BadCells));
        assert_eq!(check_rows(&[0xff, 0xff, 0xff, 0xfe], 1, 1), Err(BadCells));
        assert_eq!(check_rows(&[0x7f, 0xff, 0xff, 0xff, 0], 1, 1), Err(BadCells));
    }
}
