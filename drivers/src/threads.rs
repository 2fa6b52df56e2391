//! Threads that drive requests, for callers that wait.
use std::future::Future;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::failure::Failure;

/// They move bytes only; more would take cores from the server on the same machine.
const THREADS: usize = 2;

pub struct Threads(Option<Runtime>);

impl Threads {
    pub fn start(name: &str) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name(name)
            .enable_all()
            .build()
            .map_err(|error| Failure::unavailable(format!("threads named {name}: {error}")))?;
        Ok(Threads(Some(runtime)))
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime().block_on(future)
    }

    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime().spawn(future)
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken only at the end")
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A look-up of a name may hang in the system's resolver for long.
            runtime.shutdown_background();
        }
    }
}
