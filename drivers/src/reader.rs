//! Reads, page by page or many keys at a time.
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use scylla::client::session::Session as Driver;
use scylla::response::PagingState;
use scylla::statement::unprepared::Statement as Plain;
use tokio::sync::mpsc;
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

/// A page holds as many rows as come to so many bytes, by the rows of the page before; of the first,
/// the statement says how many. The protocol knows pages of rows only.
const PAGE_BYTES: usize = 1 << 20;
const PAGE_ROWS_MAX: usize = 10_000;

/// How many rows to ask for after a page.
fn rows_after(bytes: usize, rows: usize) -> i32 {
    let each = (bytes / rows.max(1)).max(1);
    i32::try_from((PAGE_BYTES / each).clamp(1, PAGE_ROWS_MAX)).unwrap_or(1)
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
    /// Of the next page; none: as the statement says.
    rows: Option<i32>,
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
        if page.rows > 0 {
            self.rows = Some(rows_after(page.cells.len(), page.rows));
        }
        Ok(page)
    }

    /// A page, and the state to ask for the next one.
    async fn ask(&self, state: PagingState) -> Result<(Rows, Option<PagingState>), Failure> {
        let (answer, next) = match &self.question {
            Question::Prepared { statement, key } => {
                let key = Row(key);
                match self.rows {
                    None => {
                        self.driver.execute_single_page(&statement.prepared, key, state).await?
                    }
                    Some(rows) => {
                        let mut prepared = statement.prepared.clone();
                        prepared.set_page_size(rows);
                        self.driver.execute_single_page(&prepared, key, state).await?
                    }
                }
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

    /// Hands on page after page, of which one waits while the next is fetched.
    async fn fetch_into(mut self, pages: mpsc::Sender<Result<Rows, Failure>>) {
        loop {
            let page = self.fetch().await;
            let last = page.as_ref().map_or(true, |page| page.last);
            if pages.send(page).await.is_err() || last {
                return;
            }
        }
    }
}

/// A question whose pages are fetched before their turn, by a task that ends with it.
struct Ahead {
    pages: mpsc::Receiver<Result<Rows, Failure>>,
    task: JoinHandle<()>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Pages of several questions, in their order.
pub struct Reader {
    engine: Arc<Engine>,
    limits: Limits,
    in_flight: usize,
    waiting: VecDeque<Question>,
    running: VecDeque<Ahead>,
    /// Of the current key, when one is read after another.
    current: Option<Pages>,
    key: usize,
    cells: Bytes,
}

impl Reader {
    /// `in_flight`: questions that are read at the same time, each two pages ahead of its turn at
    /// most; 1: they are read page by page, one after another.
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
            key: 0,
            cells: Bytes::new(),
        }
    }

    /// Goes to the next page. `end` when there is none.
    pub fn next(&mut self) -> Result<Page, Failure> {
        let found = if self.in_flight > 1 { self.next_ahead() } else { self.next_page() };
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

    fn next_ahead(&mut self) -> Result<Option<Rows>, Failure> {
        while self.running.len() < self.in_flight
            && let Some(question) = self.waiting.pop_front()
        {
            let (sender, pages) = mpsc::channel(1);
            let task = self.engine.spawn(self.pages(question).fetch_into(sender));
            self.running.push_back(Ahead { pages, task });
        }
        let Some(first) = self.running.front_mut() else { return Ok(None) };
        let page = self
            .engine
            .block_on(first.pages.recv())
            .unwrap_or_else(|| Err(Failure::corrupt("a read ended before its last page")))?;
        if page.last {
            self.running.pop_front();
        }
        Ok(Some(page))
    }

    fn pages(&self, question: Question) -> Pages {
        Pages {
            driver: self.engine.driver().clone(),
            limits: self.limits,
            question,
            next: PagingState::start(),
            rows: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE_BYTES, PAGE_ROWS_MAX, rows_after};

    #[test]
    fn pages_have_as_many_rows_as_come_to_a_megabyte() {
        assert_eq!(rows_after(500 * 128 * 1024, 500), 8);
        assert_eq!(rows_after(17_000, 100), i32::try_from(PAGE_BYTES / 170).unwrap());
        assert_eq!(rows_after(4 * PAGE_BYTES, 2), 1, "a row is not cut");
        assert_eq!(rows_after(10, 10), i32::try_from(PAGE_ROWS_MAX).unwrap());
    }
}
