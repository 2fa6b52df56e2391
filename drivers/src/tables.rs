//! Tables as files of Parquet and Arrow (IPC, file format), written batch by batch: what was
//! written is taken away in between, so that memory does not grow with the table.
use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Mutex};

use arrow_array::builder::{Decimal128Builder, PrimitiveBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Int16Type, Int32Type, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

const DECIMAL_DIGITS: u8 = 38;
const DECIMALS: i8 = 9;
const ROW_GROUP_ROWS: usize = 1 << 20;

#[cxx::bridge(namespace = "meterline::drivers::tables")]
mod ffi {
    enum Format {
        Parquet,
        Arrow,
    }

    /// Type of columns.h.
    enum Kind {
        Text,
        Date,
        LocalTime,
        Instant,
        Int16,
        Int32,
        Decimal,
    }

    struct Column {
        name: String,
        kind: Kind,
    }

    extern "Rust" {
        type TableFile;

        fn open_table(format: Format, columns: &[Column]) -> Result<Box<TableFile>>;

        /// Of each row the place of its text; below 0: none.
        fn add_texts(self: &mut TableFile, texts: &[String], places: &[i32]) -> Result<()>;
        /// Days, microseconds or numbers; `valid` is empty where all are, and else 0 for none.
        fn add_numbers(self: &mut TableFile, values: &[i64], valid: &[u8]) -> Result<()>;
        /// Units of the ninth decimal, 128 bits each: the lower 64 and then the upper.
        fn add_decimals(self: &mut TableFile, halves: &[u64], valid: &[u8]) -> Result<()>;
        /// Ends a batch: every column has been added once, in order.
        fn end_batch(self: &mut TableFile) -> Result<()>;
        /// What has been written since, at the end of the table all that is left.
        fn take(self: &mut TableFile) -> Vec<u8>;
        fn finish(self: &mut TableFile) -> Result<()>;
    }
}

use ffi::{Column, Format, Kind};

/// Bytes on their way out.
#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Bytes {
    fn take(&self) -> Vec<u8> {
        mem::take(&mut *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Writer {
    Parquet(Box<ArrowWriter<Bytes>>),
    Arrow(Box<FileWriter<Bytes>>),
    Finished,
}

pub struct TableFile {
    schema: Arc<Schema>,
    has_dictionaries: bool,
    writer: Writer,
    bytes: Bytes,
    batch: Vec<ArrayRef>,
}

fn data_type(kind: Kind, has_dictionaries: bool) -> Result<DataType, String> {
    Ok(match kind {
        // A file of Arrow would have to keep one dictionary for all its batches.
        Kind::Text if has_dictionaries => {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        }
        Kind::Text => DataType::Utf8,
        Kind::Date => DataType::Date32,
        Kind::LocalTime => DataType::Timestamp(TimeUnit::Microsecond, None),
        Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Kind::Int16 => DataType::Int16,
        Kind::Int32 => DataType::Int32,
        Kind::Decimal => DataType::Decimal128(DECIMAL_DIGITS, DECIMALS),
        _ => return Err("a column is of no kind".to_owned()),
    })
}

/// Times that follow each other are small differences; all else has few values.
fn properties(schema: &Schema) -> Result<WriterProperties, String> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(text_of)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by("meterline".to_owned());
    for field in schema.fields() {
        if matches!(field.data_type(), DataType::Timestamp(_, None)) {
            let path = ColumnPath::from(field.name().as_str());
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(properties.build())
}

fn open_table(format: Format, columns: &[Column]) -> Result<Box<TableFile>, String> {
    let has_dictionaries = format == Format::Parquet;
    let fields = columns
        .iter()
        .map(|column| Ok(Field::new(&column.name, data_type(column.kind, has_dictionaries)?, true)))
        .collect::<Result<Vec<_>, String>>()?;
    let schema = Arc::new(Schema::new(fields));
    let bytes = Bytes::default();
    let writer = if has_dictionaries {
        let properties = properties(&schema)?;
        let made = ArrowWriter::try_new(bytes.clone(), schema.clone(), Some(properties));
        Writer::Parquet(Box::new(made.map_err(text_of)?))
    } else {
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::ZSTD))
            .map_err(text_of)?;
        let made = FileWriter::try_new_with_options(bytes.clone(), &schema, options);
        Writer::Arrow(Box::new(made.map_err(text_of)?))
    };
    Ok(Box::new(TableFile { schema, has_dictionaries, writer, bytes, batch: Vec::new() }))
}

fn text_of(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn primitive<T: ArrowPrimitiveType>(
    values: &[i64],
    valid: &[u8],
    read: impl Fn(i64) -> Option<T::Native>,
) -> Result<ArrayRef, String> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(values.len());
    for (row, value) in values.iter().enumerate() {
        if valid.is_empty() || valid[row] != 0 {
            builder.append_value(read(*value).ok_or("a number does not fit into its column")?);
        } else {
            builder.append_null();
        }
    }
    Ok(Arc::new(builder.finish()))
}

impl TableFile {
    fn add_texts(&mut self, texts: &[String], places: &[i32]) -> Result<(), String> {
        let array: ArrayRef = if self.has_dictionaries {
            let keys: Int32Array =
                places.iter().map(|place| (*place >= 0).then_some(*place)).collect();
            let values = Arc::new(StringArray::from_iter_values(texts));
            Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values).map_err(text_of)?)
        } else {
            let mut builder = StringBuilder::with_capacity(places.len(), places.len() * 8);
            for place in places {
                match usize::try_from(*place) {
                    Ok(place) => builder.append_value(texts.get(place).ok_or("no such text")?),
                    Err(_) => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        };
        self.batch.push(array);
        Ok(())
    }

    fn add_numbers(&mut self, values: &[i64], valid: &[u8]) -> Result<(), String> {
        if !valid.is_empty() && valid.len() != values.len() {
            return Err("a column says of some rows only whether they have a value".to_owned());
        }
        let fields = self.schema.fields();
        let field = fields.get(self.batch.len()).ok_or("a batch has too many columns")?;
        let array = match field.data_type() {
            DataType::Date32 => primitive::<Date32Type>(values, valid, |v| i32::try_from(v).ok())?,
            DataType::Int16 => primitive::<Int16Type>(values, valid, |v| i16::try_from(v).ok())?,
            DataType::Int32 => primitive::<Int32Type>(values, valid, |v| i32::try_from(v).ok())?,
            DataType::Timestamp(_, zone) => {
                let mut builder =
                    PrimitiveBuilder::<TimestampMicrosecondType>::with_capacity(values.len())
                        .with_timezone_opt(zone.clone());
                for (row, value) in values.iter().enumerate() {
                    builder.append_option((valid.is_empty() || valid[row] != 0).then_some(*value));
                }
                Arc::new(builder.finish())
            }
            _ => return Err("a column has no numbers".to_owned()),
        };
        self.batch.push(array);
        Ok(())
    }

    fn add_decimals(&mut self, halves: &[u64], valid: &[u8]) -> Result<(), String> {
        let rows = halves.len() / 2;
        if !valid.is_empty() && valid.len() != rows {
            return Err("a column says of some rows only whether they have a value".to_owned());
        }
        let mut builder = Decimal128Builder::with_capacity(rows)
            .with_precision_and_scale(DECIMAL_DIGITS, DECIMALS)
            .map_err(text_of)?;
        for row in 0..rows {
            let value = i128::from(halves[2 * row]) | (i128::from(halves[2 * row + 1]) << 64);
            builder.append_option((valid.is_empty() || valid[row] != 0).then_some(value));
        }
        self.batch.push(Arc::new(builder.finish()));
        Ok(())
    }

    fn end_batch(&mut self) -> Result<(), String> {
        let columns = mem::take(&mut self.batch);
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(text_of)?;
        match &mut self.writer {
            Writer::Parquet(writer) => writer.write(&batch).map_err(text_of),
            Writer::Arrow(writer) => writer.write(&batch).map_err(text_of),
            Writer::Finished => Err("the table is finished".to_owned()),
        }
    }

    fn take(&mut self) -> Vec<u8> {
        self.bytes.take()
    }

    fn finish(&mut self) -> Result<(), String> {
        match mem::replace(&mut self.writer, Writer::Finished) {
            Writer::Parquet(writer) => writer.close().map(drop).map_err(text_of),
            Writer::Arrow(mut writer) => {
                writer.finish().map_err(|error: ArrowError| text_of(error))
            }
            Writer::Finished => Err("the table is finished".to_owned()),
        }
    }
}
