//! Counters of one statement's requests.
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Instant;

use crate::ffi;

pub struct Meter {
    bounds_us: Vec<i64>,
    requests: AtomicI64,
    retries: AtomicI64,
    failures: AtomicI64,
    connections_lost: AtomicI64,
    in_flight: AtomicI64,
    micros: AtomicI64,
    latency: Vec<AtomicI64>,
}

impl Meter {
    /// `bounds_us`: upper bounds of the latency classes, ascending; one more class is open above.
    pub fn new(bounds_us: &[i64]) -> Self {
        Meter {
            bounds_us: bounds_us.to_vec(),
            requests: AtomicI64::new(0),
            retries: AtomicI64::new(0),
            failures: AtomicI64::new(0),
            connections_lost: AtomicI64::new(0),
            in_flight: AtomicI64::new(0),
            micros: AtomicI64::new(0),
            latency: (0..=bounds_us.len()).map(|_| AtomicI64::new(0)).collect(),
        }
    }

    /// A request begins; it ends when the guard is dropped.
    pub fn begin(&self) -> Running<'_> {
        self.in_flight.fetch_add(1, Relaxed);
        Running { meter: self, begin: Instant::now(), good: false }
    }

    pub fn report(&self, statement: &str) -> ffi::StatementMetrics {
        ffi::StatementMetrics {
            statement: statement.to_owned(),
            requests: self.requests.load(Relaxed),
            retries: self.retries.load(Relaxed),
            failures: self.failures.load(Relaxed),
            connections_lost: self.connections_lost.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
            micros: self.micros.load(Relaxed),
            latency: self.latency.iter().map(|class| class.load(Relaxed)).collect(),
        }
    }
}

pub struct Running<'a> {
    meter: &'a Meter,
    begin: Instant,
    good: bool,
}

impl Running<'_> {
    pub fn retry(&self) {
        self.meter.retries.fetch_add(1, Relaxed);
    }

    pub fn lose_connection(&self) {
        self.meter.connections_lost.fetch_add(1, Relaxed);
    }

    pub fn succeed(mut self) {
        self.good = true;
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let micros = i64::try_from(self.begin.elapsed().as_micros()).unwrap_or(i64::MAX);
        let class = self.meter.bounds_us.partition_point(|bound| *bound < micros);
        self.meter.latency[class].fetch_add(1, Relaxed);
        self.meter.micros.fetch_add(micros, Relaxed);
        self.meter.requests.fetch_add(1, Relaxed);
        self.meter.failures.fetch_add(i64::from(!self.good), Relaxed);
        self.meter.in_flight.fetch_sub(1, Relaxed);
    }
}
