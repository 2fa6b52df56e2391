//! The CQL driver `scylla`, the AWS SDK, and files of Parquet and Arrow, each behind a narrow
//! bridge. Only src/store/cassandra/cql_session.cc uses that to the driver, below (cql_session.h is
//! the contract), only src/aws/ that in aws/bridge.rs, and only src/tables/ that in tables.rs.
mod aws;
mod cells;
mod credentials;
#[cfg(test)]
mod credentials_test;
mod failure;
#[cfg(test)]
mod login_test;
#[cfg(test)]
mod loopback;
mod metrics;
mod nodes;
mod reader;
mod retry;
mod session;
mod sigv4;
mod tables;
mod threads;
mod tls;
mod writer;

use reader::Reader;
use session::{Session, connect, driver_name};
use writer::Writer;

#[cxx::bridge(namespace = "meterline::drivers")]
mod ffi {
    /// CqlOptions of cql_session.h, flat.
    struct Options {
        nodes: Vec<String>,
        port: u16,
        data_centre: String,
        user: String,
        password: String,
        aws_region: String,
        tls: bool,
        tls_ca_file: String,
        tls_server_name: String,
        connections_per_node: usize,
        writes_per_connection: usize,
        connect_timeout_ms: u64,
        keepalive_interval_ms: u64,
        keepalive_timeout_ms: u64,
        tries_max: u32,
        first_wait_ms: u64,
        longest_wait_ms: u64,
        try_timeout_ms: u64,
        deadline_ms: u64,
        latency_bounds_us: Vec<i64>,
    }

    /// `page_rows`: of the first page of a read; 0 for the driver's choice.
    struct StatementText {
        name: String,
        cql: String,
        page_rows: i32,
    }

    /// The cells of a page are those of the reader until it goes on.
    struct Page {
        key: usize,
        rows: usize,
        last: bool,
        end: bool,
    }

    /// RequestMetrics of request_metrics.h.
    struct StatementMetrics {
        statement: String,
        requests: i64,
        retries: i64,
        failures: i64,
        connections_lost: i64,
        in_flight: i64,
        micros: i64,
        latency: Vec<i64>,
    }

    extern "Rust" {
        type Session;
        type Writer;
        type Reader;

        fn driver_name() -> String;
        fn connect(options: &Options) -> Result<Box<Session>>;

        fn execute(self: &Session, cql: &str) -> Result<()>;
        fn query(self: &Session, cql: &str) -> Box<Reader>;
        fn query_each_node(self: &Session, cql: &str) -> Box<Reader>;
        fn prepare(self: &Session, texts: &[StatementText]) -> Result<usize>;
        fn writer(self: &Session, requests: usize, bytes: usize) -> Box<Writer>;
        fn read(
            self: &Session,
            statement: usize,
            keys: &[u8],
            count: usize,
            in_flight: usize,
            deadline_ms: u64,
        ) -> Result<Box<Reader>>;
        fn answer_within(self: &Session, time_ms: u64);
        fn metrics(self: &Session) -> Vec<StatementMetrics>;

        fn write(self: &mut Writer, statement: usize, rows: &[u8], count: usize) -> Result<()>;
        fn finish(self: &mut Writer) -> Result<()>;

        fn next(self: &mut Reader) -> Result<Page>;
        fn cells(self: &Reader) -> &[u8];
    }
}
