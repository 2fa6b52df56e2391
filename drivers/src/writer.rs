//! Writes that do not wait for each other, within limits of what is in flight.
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::cells::check_rows;
use crate::failure::Failure;
use crate::retry::{self, Stop};
use crate::session::{Inner, Statement};

/// Requests are handed to the threads of the driver so many at a time: waking them costs more than
/// a request.
const HANDED_OVER: usize = 16;

/// What is in flight.
#[derive(Clone, Copy, Default)]
struct Load {
    requests: usize,
    bytes: usize,
}

#[derive(Default)]
struct State {
    load: Load,
    /// Whether someone waits for room or for the end.
    awaited: bool,
    failure: Option<Failure>,
}

/// Counts what is in flight, and keeps the first failure.
struct Gate {
    limits: Load,
    state: Mutex<State>,
    room: Condvar,
    stop: Stop,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.awaited = true;
        self.room.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self, load: Load, bytes: usize) -> bool {
        load.requests == 0
            || (load.requests < self.limits.requests && load.bytes + bytes <= self.limits.bytes)
    }

    /// Below this a writer that waits is woken: not for every single request that ends.
    fn is_low(&self, load: Load) -> bool {
        load.requests == 0
            || (load.requests <= self.limits.requests / 4 * 3
                && load.bytes <= self.limits.bytes / 4 * 3)
    }

    /// Takes room for a request; false: there is none now.
    fn try_enter(&self, bytes: usize) -> Result<bool, Failure> {
        let mut state = self.lock();
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        let has_room = self.has_room(state.load, bytes);
        if has_room {
            state.load.requests += 1;
            state.load.bytes += bytes;
        }
        Ok(has_room)
    }

    fn wait_for_room(&self, bytes: usize) {
        let mut state = self.lock();
        while state.failure.is_none() && !self.has_room(state.load, bytes) {
            state = self.wait(state);
        }
    }

    fn leave(&self, bytes: usize, failure: Option<Failure>) {
        let mut state = self.lock();
        state.load.requests -= 1;
        state.load.bytes -= bytes;
        let failed = failure.is_some();
        if state.failure.is_none() {
            state.failure = failure;
        }
        // To tell nobody costs a call of the system as well.
        if state.awaited && (failed || self.is_low(state.load)) {
            state.awaited = false;
            self.room.notify_all();
        }
        drop(state);
        if failed {
            self.stop.set();
        }
    }

    fn has_failed(&self) -> bool {
        self.lock().failure.is_some()
    }

    fn fail(&self, failure: &Failure) {
        self.lock().failure.get_or_insert_with(|| failure.clone());
        self.stop.set();
    }

    fn wait_for_all(&self) -> Result<(), Failure> {
        let mut state = self.lock();
        while state.load.requests > 0 {
            state = self.wait(state);
        }
        state.failure.clone().map_or(Ok(()), Err)
    }
}

/// Holds a request's place in flight until it is dropped, whatever became of it.
struct Place {
    gate: Arc<Gate>,
    bytes: usize,
    /// None once the rows are acknowledged.
    failure: Option<Failure>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.leave(self.bytes, self.failure.take());
    }
}

pub struct Writer {
    session: Arc<Inner>,
    gate: Arc<Gate>,
    /// What is not handed over yet; it counts as in flight.
    gathered: Vec<Request>,
}

impl Writer {
    pub fn new(session: Arc<Inner>, requests: usize, bytes: usize) -> Self {
        let limits = Load { requests: requests.max(1), bytes };
        let gate = Arc::new(Gate {
            limits,
            state: Mutex::default(),
            room: Condvar::new(),
            stop: Stop::default(),
        });
        Writer { session, gate, gathered: Vec::new() }
    }

    /// Sends `count` rows of one partition, as soon as there is room.
    pub fn write(&mut self, statement: usize, rows: &[u8], count: usize) -> Result<(), Failure> {
        self.send(statement, rows, count).inspect_err(|failure| self.gate.fail(failure))
    }

    fn send(&mut self, statement: usize, rows: &[u8], count: usize) -> Result<(), Failure> {
        let statement = self.session.statement(statement)?;
        if count == 0 || check_rows(rows, statement.columns, count).is_err() {
            return Err(Failure::invalid(format!(
                "{}: the values are not those of {count} rows of {} columns",
                statement.name, statement.columns
            )));
        }
        while !self.gate.try_enter(rows.len())? {
            self.hand_over();
            self.gate.wait_for_room(rows.len());
        }
        let place = Place {
            gate: self.gate.clone(),
            bytes: rows.len(),
            failure: Some(Failure::unavailable("the request was ended early")),
        };
        self.gathered.push(Request {
            session: self.session.clone(),
            statement,
            rows: rows.to_vec(),
            count,
            place,
        });
        if self.gathered.len() >= HANDED_OVER {
            self.hand_over();
        }
        Ok(())
    }

    fn hand_over(&mut self) {
        let requests = std::mem::take(&mut self.gathered);
        if !requests.is_empty() && !self.gate.has_failed() {
            self.session.engine.spawn(async move {
                // The driver's futures are large: boxed, they are moved once.
                let mut sent: FuturesUnordered<_> =
                    requests.into_iter().map(|request| Box::pin(request.send())).collect();
                while sent.next().await.is_some() {}
            });
        }
    }

    /// Waits until nothing is in flight.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.hand_over();
        self.gate.wait_for_all()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Who did not call finish() does not ask what became of it.
        self.hand_over();
        let _ = self.gate.wait_for_all();
    }
}

struct Request {
    session: Arc<Inner>,
    statement: Arc<Statement>,
    rows: Vec<u8>,
    count: usize,
    place: Place,
}

impl Request {
    async fn send(mut self) {
        let gate = self.place.gate.clone();
        // It is never closed.
        let _turn = match &self.session.writes {
            Some(writes) => writes.acquire().await.ok(),
            None => None,
        };
        let (limits, driver) = (self.session.limits(), self.session.engine.driver());
        let sent = retry::run(&limits, Some(&self.statement.meter), Some(&gate.stop), || {
            self.statement.write(driver, &self.rows, self.count)
        });
        self.place.failure = sent.await.err().map(|failure| {
            failure.with_text(|text| format!("writing by {}: {text}", self.statement.name))
        });
    }
}
