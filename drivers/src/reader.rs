//! Reads, page by page or many keys at a time.
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use scylla::client::session::Session as Driver;
use scylla::response::PagingState;
use scylla::statement::unprepared::Statement as Plain;
use tokio::task::JoinHandle;

use crate::cells::{Row, rows_of};
use crate::failure::Failure;
use crate::ffi::Page;
use crate::retry::{self, Limits};
use crate::session::{Engine, Statement};

/// What is asked for.
pub enum Question {
    Prepared { statement: Arc<Statement>, key: Vec<u8> },
    Plain(Plain),
}

/// One page of rows.
struct Rows {
    cells: Bytes,
    rows: usize,
    last: bool,
}

/// The pages of one question, one after another.
struct Pages {
    driver: Arc<Driver>,
    limits: Limits,
    question: Question,
    next: PagingState,
}

impl Pages {
    async fn fetch(&mut self) -> Result<Rows, Failure> {
        let meter = match &self.question {
            Question::Prepared { statement, .. } => Some(&statement.meter),
            Question::Plain(_) => None,
        };
        let (page, next) =
            retry::run(&self.limits, meter, None, || self.ask(self.next.clone())).await?;
        if let Some(next) = next {
            self.next = next;
        }
        Ok(page)
    }

    /// A page, and the state to ask for the next one.
    async fn ask(&self, state: PagingState) -> Result<(Rows, Option<PagingState>), Failure> {
        let (answer, next) = match &self.question {
            Question::Prepared { statement, key } => {
                self.driver.execute_single_page(&statement.prepared, Row(key), state).await?
            }
            Question::Plain(plain) => {
                self.driver.query_single_page(plain.clone(), (), state).await?
            }
        };
        let next = match next.into_paging_control_flow() {
            ControlFlow::Continue(state) => Some(state),
            ControlFlow::Break(()) => None,
        };
        let answer = answer.into_rows_result()?;
        let rows = answer.rows_num();
        Ok((Rows { cells: rows_of(&answer)?, rows, last: next.is_none() }, next))
    }

    async fn fetch_all(mut self) -> Result<VecDeque<Rows>, Failure> {
        let mut pages = VecDeque::new();
        loop {
            let page = self.fetch().await?;
            let last = page.last;
            pages.push_back(page);
            if last {
                return Ok(pages);
            }
        }
    }
}

/// A task that is ended with its reader.
struct Task(JoinHandle<Result<VecDeque<Rows>, Failure>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Pages of several questions, in their order.
pub struct Reader {
    engine: Arc<Engine>,
    limits: Limits,
    in_flight: usize,
    waiting: VecDeque<Question>,
    running: VecDeque<Task>,
    /// Of the current key, when it is read page by page.
    current: Option<Pages>,
    /// Of the current key, when it was read whole.
    fetched: VecDeque<Rows>,
    key: usize,
    cells: Bytes,
}

impl Reader {
    /// `in_flight`: questions that are read whole at the same time; 1: they are read page by page,
    /// one after another.
    pub fn new(
        engine: Arc<Engine>,
        limits: Limits,
        in_flight: usize,
        questions: VecDeque<Question>,
    ) -> Self {
        Reader {
            engine,
            limits,
            in_flight,
            waiting: questions,
            running: VecDeque::new(),
            current: None,
            fetched: VecDeque::new(),
            key: 0,
            cells: Bytes::new(),
        }
    }

    /// Goes to the next page. `end` when there is none.
    pub fn next(&mut self) -> Result<Page, Failure> {
        let found = if self.in_flight > 1 { self.next_whole() } else { self.next_page() };
        let key = self.key;
        match found? {
            Some(page) => {
                self.key += usize::from(page.last);
                self.cells = page.cells;
                Ok(Page { key, rows: page.rows, last: page.last, end: false })
            }
            None => {
                self.cells = Bytes::new();
                Ok(Page { key, rows: 0, last: true, end: true })
            }
        }
    }

    /// The cells of the current page.
    pub fn cells(&self) -> &[u8] {
        &self.cells
    }

    fn next_page(&mut self) -> Result<Option<Rows>, Failure> {
        if self.current.is_none() {
            self.current = self.waiting.pop_front().map(|question| self.pages(question));
        }
        let Some(pages) = &mut self.current else { return Ok(None) };
        let page = self.engine.block_on(pages.fetch())?;
        if page.last {
            self.current = None;
        }
        Ok(Some(page))
    }

    fn next_whole(&mut self) -> Result<Option<Rows>, Failure> {
        if self.fetched.is_empty() {
            while self.running.len() < self.in_flight
                && let Some(question) = self.waiting.pop_front()
            {
                let pages = self.pages(question);
                self.running.push_back(Task(self.engine.spawn(pages.fetch_all())));
            }
            let Some(mut task) = self.running.pop_front() else { return Ok(None) };
            self.fetched = self
                .engine
                .block_on(&mut task.0)
                .map_err(|error| Failure::corrupt(format!("a read ended: {error}")))??;
        }
        Ok(self.fetched.pop_front())
    }

    fn pages(&self, question: Question) -> Pages {
        Pages {
            driver: self.engine.driver().clone(),
            limits: self.limits,
            question,
            next: PagingState::start(),
        }
    }
}
