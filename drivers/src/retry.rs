//! The one retry policy: bounded tries, waits that double and vary at random, a limit for each try
//! and one for all. The driver's own retries are off.
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use crate::failure::{Code, Failure};
use crate::metrics::Meter;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub tries_max: u32,
    pub first_wait: Duration,
    pub longest_wait: Duration,
    pub try_timeout: Duration,
    pub deadline: Duration,
    /// No request goes on beyond this time, whatever the rest says.
    pub end: Option<Instant>,
}

impl Limits {
    /// Of a request that begins now, with all its tries.
    fn time(&self) -> Duration {
        let left = self.end.map(|end| end.saturating_duration_since(Instant::now()));
        left.map_or(self.deadline, |left| left.min(self.deadline))
    }
}

/// Tells requests that wait for their next try to give up.
#[derive(Default)]
pub struct Stop {
    set: AtomicBool,
    changed: Notify,
}

impl Stop {
    pub fn set(&self) {
        self.set.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Waits; false when stopped before or meanwhile.
    async fn wait(&self, time: Duration) -> bool {
        let changed = self.changed.notified();
        if self.set.load(Ordering::Acquire) {
            return false;
        }
        timeout(time, changed).await.is_err()
    }
}

/// Runs `attempt` until it succeeds, fails for good, or the limits are reached.
pub async fn run<T, F: Future<Output = Result<T, Failure>>>(
    limits: &Limits,
    meter: Option<&Meter>,
    stop: Option<&Stop>,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Failure> {
    let running = meter.map(Meter::begin);
    let time = limits.time();
    if time.is_zero() {
        return Err(Failure::unavailable("the time for the whole answer is over"));
    }
    let end = Instant::now() + time;
    let mut longest = limits.first_wait;
    for tries in 1.. {
        // The driver's futures are large: they are not moved.
        let attempt = pin!(attempt());
        let failure = match one_try(limits, end, attempt).await {
            Ok(value) => {
                if let Some(running) = running {
                    running.succeed();
                }
                return Ok(value);
            }
            Err(failure) => failure,
        };
        if failure.code == Code::ConnectionLost
            && let Some(running) = &running
        {
            running.lose_connection();
        }
        let wait = jitter(longest);
        if !failure.is_passing() {
            return Err(failure);
        }
        if tries >= limits.tries_max || Instant::now() + wait >= end {
            return Err(given_up(failure, tries, time));
        }
        let goes_on = match stop {
            Some(stop) => stop.wait(wait).await,
            None => {
                sleep(wait).await;
                true
            }
        };
        if !goes_on {
            return Err(given_up(failure, tries, time));
        }
        if let Some(running) = &running {
            running.retry();
        }
        longest = (longest * 2).min(limits.longest_wait);
    }
    unreachable!("the loop ends by its own returns")
}

async fn one_try<T>(
    limits: &Limits,
    end: Instant,
    attempt: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let time = limits.try_timeout.min(end.saturating_duration_since(Instant::now()));
    timeout(time, attempt).await.unwrap_or_else(|_| {
        Err(Failure::unavailable(format!("no answer within {} ms", time.as_millis())))
    })
}

/// Between half of `longest` and all of it: those who failed together do not return together, and
/// no luck uses the tries up before a cluster had time to recover.
fn jitter(longest: Duration) -> Duration {
    let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(fastrand::u64(micros / 2..=micros))
}

fn given_up(failure: Failure, tries: u32, time: Duration) -> Failure {
    failure.with_text(|text| {
        let seconds = time.as_secs_f32();
        format!("{text} (given up after {tries} tries, at most {seconds} s)")
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    use super::*;

    const LIMITS: Limits = Limits {
        tries_max: 5,
        first_wait: Duration::from_millis(100),
        longest_wait: Duration::from_millis(300),
        try_timeout: Duration::from_secs(2),
        deadline: Duration::from_secs(10),
        end: None,
    };

    /// Fails as told, then answers 7; counts its tries.
    struct Server {
        failures: Vec<Failure>,
        tries: AtomicU32,
    }

    impl Server {
        fn failing(failure: Failure, times: usize) -> Self {
            Server { failures: vec![failure; times], tries: AtomicU32::new(0) }
        }

        async fn answer(&self) -> Result<u32, Failure> {
            let index = self.tries.fetch_add(1, Ordering::Relaxed) as usize;
            self.failures.get(index).cloned().map_or(Ok(7), Err)
        }

        fn tries(&self) -> u32 {
            self.tries.load(Ordering::Relaxed)
        }
    }

    fn overloaded() -> Failure {
        Failure::unavailable("overloaded")
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again() {
        let server = Server::failing(overloaded(), 4);
        let meter = Meter::new(&[10]);
        let answer = run(&LIMITS, Some(&meter), None, || server.answer()).await;
        assert_eq!(answer, Ok(7));
        assert_eq!(server.tries(), 5);
        let report = meter.report("x");
        assert_eq!((report.requests, report.retries, report.failures), (1, 4, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn tries_are_bounded() {
        let server = Server::failing(overloaded(), 5);
        let meter = Meter::new(&[10]);
        let failure = run(&LIMITS, Some(&meter), None, || server.answer()).await.unwrap_err();
        assert_eq!(server.tries(), 5);
        assert!(failure.is_passing());
        assert_eq!(failure.text, "overloaded (given up after 5 tries, at most 10 s)");
        let report = meter.report("x");
        assert_eq!((report.requests, report.retries, report.failures), (1, 4, 1));
        assert_eq!(report.in_flight, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn lost_connections_are_counted() {
        let lost = Failure { code: Code::ConnectionLost, text: String::from("gone") };
        let server = Server::failing(lost, 2);
        let meter = Meter::new(&[10]);
        assert_eq!(run(&LIMITS, Some(&meter), None, || server.answer()).await, Ok(7));
        let report = meter.report("x");
        assert_eq!((report.retries, report.connections_lost), (2, 2));

        let server = Server::failing(overloaded(), 2);
        assert_eq!(run(&LIMITS, Some(&meter), None, || server.answer()).await, Ok(7));
        let report = meter.report("x");
        assert_eq!((report.retries, report.connections_lost), (4, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_not_tried_again() {
        for failure in [Failure::invalid("syntax"), Failure::corrupt("frame")] {
            let server = Server::failing(failure.clone(), 1);
            let begin = Instant::now();
            assert_eq!(run(&LIMITS, None, None, || server.answer()).await, Err(failure));
            assert_eq!(server.tries(), 1);
            assert_eq!(begin.elapsed(), Duration::ZERO);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_the_longest_and_vary() {
        let mut seen = Vec::new();
        for _ in 0..50 {
            let server = Server::failing(overloaded(), 4);
            let begin = Instant::now();
            run(&LIMITS, None, None, || server.answer()).await.unwrap();
            seen.push(begin.elapsed());
        }
        // Up to 100 + 200 + 300 + 300 ms, and a millisecond of the timer for each.
        assert!(seen.iter().all(|time| *time <= Duration::from_millis(904)), "{seen:?}");
        assert!(seen.iter().all(|time| *time >= Duration::from_millis(450)), "{seen:?}");
        seen.sort();
        seen.dedup();
        assert!(seen.len() > 10, "{seen:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_without_an_answer_is_given_up() {
        let tries = AtomicU32::new(0);
        let begin = Instant::now();
        let answer = run(&LIMITS, None, None, || async {
            if tries.fetch_add(1, Ordering::Relaxed) == 0 {
                std::future::pending::<()>().await;
            }
            Ok(7)
        });
        assert_eq!(answer.await, Ok(7));
        assert!(begin.elapsed() >= LIMITS.try_timeout);
        assert!(begin.elapsed() <= LIMITS.try_timeout + Duration::from_millis(101));
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_is_over_all_tries() {
        let limits = Limits { tries_max: 100, deadline: Duration::from_millis(4500), ..LIMITS };
        let begin = Instant::now();
        let answer = run(&limits, None, None, std::future::pending::<Result<(), Failure>>);
        let failure = answer.await.unwrap_err();
        assert!(begin.elapsed() <= limits.deadline + Duration::from_millis(1));
        assert!(begin.elapsed() >= Duration::from_millis(4000));
        assert!(failure.text.contains("no answer within"), "{failure}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_goes_on_beyond_the_end() {
        let begin = Instant::now();
        let limits = Limits { end: Some(begin + Duration::from_millis(3000)), ..LIMITS };
        let answer = run(&limits, None, None, std::future::pending::<Result<(), Failure>>).await;
        let failure = answer.unwrap_err();
        assert!(begin.elapsed() <= Duration::from_millis(3001), "{:?}", begin.elapsed());
        assert!(failure.is_passing());
        assert!(failure.text.ends_with("at most 3 s)"), "{failure}");

        tokio::time::sleep_until(begin + Duration::from_millis(3001)).await;
        let server = Server::failing(overloaded(), 0);
        let late = run(&limits, None, None, || server.answer()).await.unwrap_err();
        assert_eq!(
            (late.text.as_str(), server.tries()),
            ("the time for the whole answer is over", 0)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait_for_the_next_try() {
        let limits = Limits {
            first_wait: Duration::from_secs(1000),
            deadline: Duration::from_secs(10_000),
            ..LIMITS
        };
        let stop = Arc::new(Stop::default());
        let server = Arc::new(Server::failing(overloaded(), 5));
        let task = tokio::spawn({
            let (stop, server) = (stop.clone(), server.clone());
            async move { run(&limits, None, Some(&stop), || server.answer()).await }
        });
        tokio::task::yield_now().await;
        let begin = Instant::now();
        stop.set();
        assert!(task.await.unwrap().is_err());
        assert_eq!((server.tries(), begin.elapsed()), (1, Duration::ZERO));

        // A stop from before is seen as well.
        let answer = run(&limits, None, Some(&stop), || server.answer()).await;
        assert!(answer.is_err());
        assert_eq!(server.tries(), 2);
    }
}
