//! A session with a cluster, its prepared statements, and the threads that drive them.
use std::collections::VecDeque;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_config::ConfigLoader;
use scylla::client::PoolSize;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session as Driver;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::host_filter::DcHostFilter;
use scylla::policies::load_balancing::{
    DefaultPolicy, LoadBalancingPolicy, NodeIdentifier, SingleTargetLoadBalancingPolicy,
};
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::statement::Consistency;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::unprepared::Statement as Plain;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::cells::{Row, Rows, split_row};
use crate::credentials::{self, Held};
use crate::failure::Failure;
use crate::ffi::{Options, StatementMetrics, StatementText};
use crate::metrics::Meter;
use crate::reader::{Question, Reader};
use crate::retry::{self, Limits};
use crate::threads::Threads;
use crate::writer::Writer;
use crate::{nodes, sigv4, tls};

const SCHEMA_AGREEMENT_TIMEOUT: Duration = Duration::from_secs(60);

/// The driver and the threads it runs on.
pub struct Engine {
    driver: Arc<Driver>,
    threads: Threads,
}

impl Engine {
    pub fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.threads.block_on(future)
    }

    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.threads.spawn(future)
    }
}

pub struct Statement {
    pub name: String,
    pub prepared: PreparedStatement,
    pub columns: usize,
    pub meter: Meter,
    /// Of 2, 3, ... rows, made when first needed.
    batches: RwLock<Vec<Option<Arc<Batch>>>>,
}

impl Statement {
    /// Sends rows of one partition, once.
    pub async fn write(&self, driver: &Driver, rows: &[u8], count: usize) -> Result<(), Failure> {
        if count == 1 {
            driver.execute_unpaged(&self.prepared, Row(rows)).await?;
        } else {
            let rows = Rows { cells: rows, columns: self.columns, count };
            driver.batch(&self.batch(count), rows).await?;
        }
        Ok(())
    }

    fn batch(&self, count: usize) -> Arc<Batch> {
        let index = count - 2;
        let batches = self.batches.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(batch)) = batches.get(index) {
            return batch.clone();
        }
        drop(batches);
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_is_idempotent(true);
        for _ in 0..count {
            batch.append_statement(self.prepared.clone());
        }
        let batch = Arc::new(batch);
        let mut batches = self.batches.write().unwrap_or_else(PoisonError::into_inner);
        if batches.len() <= index {
            batches.resize(index + 1, None);
        }
        batches[index] = Some(batch.clone());
        batch
    }
}

/// What writers share with their session.
pub struct Inner {
    pub engine: Arc<Engine>,
    limits: Limits,
    /// Limits::end of requests that begin now.
    end: RwLock<Option<Instant>>,
    /// Of writes in flight on all connections; none: writers' own limits are all there are.
    pub writes: Option<Semaphore>,
    statements: RwLock<Vec<Arc<Statement>>>,
    latency_bounds_us: Vec<i64>,
}

impl Inner {
    /// Of a request that begins now.
    pub fn limits(&self) -> Limits {
        Limits { end: *self.end.read().unwrap_or_else(PoisonError::into_inner), ..self.limits }
    }

    pub fn statement(&self, number: usize) -> Result<Arc<Statement>, Failure> {
        let statements = self.statements.read().unwrap_or_else(PoisonError::into_inner);
        statements
            .get(number)
            .cloned()
            .ok_or_else(|| Failure::invalid(format!("no statement {number} was prepared")))
    }

    fn prepared(&self, text: &StatementText, mut prepared: PreparedStatement) -> Statement {
        prepared.set_is_idempotent(true);
        // Answers then do not repeat the names and types of their columns.
        prepared.set_use_cached_result_metadata(true);
        if text.page_rows > 0 {
            prepared.set_page_size(text.page_rows);
        }
        Statement {
            name: text.name.clone(),
            columns: prepared.get_variable_col_specs().len(),
            prepared,
            meter: Meter::new(&self.latency_bounds_us),
            batches: RwLock::default(),
        }
    }
}

pub struct Session(Arc<Inner>);

pub fn connect(options: &Options) -> Result<Box<Session>, Failure> {
    connect_by(options, credentials::sources())
}

/// `sources`: of credentials, for Amazon Keyspaces.
pub fn connect_by(options: &Options, sources: ConfigLoader) -> Result<Box<Session>, Failure> {
    let threads = Threads::start("cql")?;
    let timeout = Duration::from_millis(options.connect_timeout_ms);
    let driver = threads
        .block_on(async { tokio::time::timeout(timeout, build(options, sources)).await })
        .unwrap_or_else(|_| Err(no_answer(timeout)))
        .map_err(|failure| failure.with_text(|text| format!("connecting: {text}")))?;
    let writes = writes_of(options, &driver).map(Semaphore::new);
    let engine = Engine { driver: Arc::new(driver), threads };
    Ok(Box::new(Session(Arc::new(Inner {
        engine: Arc::new(engine),
        limits: limits_of(options),
        end: RwLock::default(),
        writes,
        statements: RwLock::default(),
        latency_bounds_us: options.latency_bounds_us.clone(),
    }))))
}

fn writes_of(options: &Options, driver: &Driver) -> Option<usize> {
    let nodes = driver.get_cluster_state().get_nodes_info().len().max(1);
    let writes = options.writes_per_connection * options.connections_per_node.max(1) * nodes;
    (writes > 0).then_some(writes.min(Semaphore::MAX_PERMITS))
}

fn limits_of(options: &Options) -> Limits {
    Limits {
        tries_max: options.tries_max,
        first_wait: Duration::from_millis(options.first_wait_ms),
        longest_wait: Duration::from_millis(options.longest_wait_ms),
        try_timeout: Duration::from_millis(options.try_timeout_ms),
        deadline: Duration::from_millis(options.deadline_ms),
        end: None,
    }
}

fn no_answer(time: Duration) -> Failure {
    Failure::unavailable(format!("no answer within {} ms", time.as_millis()))
}

/// Connects by the first node that answers, tried in their order; one that fails or hangs makes way
/// for the next. The driver alone waits for a node that hangs.
async fn build(options: &Options, sources: ConfigLoader) -> Result<Driver, Failure> {
    let addresses = nodes::addresses(&options.nodes, options.port)?;
    let time = Duration::from_millis(options.connect_timeout_ms);
    let builder = builder(options, &addresses, sources)
        .await?
        .connection_timeout(time)
        .hostname_resolution_timeout(Some(time));
    let patience = time / u32::try_from(addresses.len() + 2).unwrap_or(u32::MAX);
    let mut waiting = addresses.iter().cloned();
    let mut attempts = JoinSet::new();
    let mut failures = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            let builder = builder.clone().known_node(&address);
            attempts.spawn(async move { (address, builder.build().await) });
        }
        let next = if waiting.len() > 0 { patience } else { time };
        match tokio::time::timeout(next, attempts.join_next()).await {
            Ok(Some(Ok((_, Ok(driver))))) => {
                choose_data_centre(&driver, options, &addresses).await?;
                return Ok(driver);
            }
            Ok(Some(Ok((address, Err(error))))) => {
                failures.push((address, Failure::from(error)));
            }
            Ok(Some(Err(error))) => return Err(Failure::corrupt(error.to_string())),
            Ok(None) => return Err(all_failed(&failures)),
            Err(_) => (),
        }
    }
}

/// What is refused for good counts more than a node that may answer later.
fn all_failed(failures: &[(String, Failure)]) -> Failure {
    let texts: Vec<_> =
        failures.iter().map(|(address, failure)| format!("{address}: {}", failure.text)).collect();
    match failures.iter().find(|(_, failure)| !failure.is_passing()) {
        Some((_, failure)) => failure.clone().with_text(|_| texts.join("; ")),
        None if failures.is_empty() => Failure::invalid("no node is given"),
        None => Failure::unavailable(texts.join("; ")),
    }
}

/// With all settings, but without a node.
async fn builder(
    options: &Options,
    addresses: &[String],
    sources: ConfigLoader,
) -> Result<SessionBuilder, Failure> {
    let mut builder = SessionBuilder::new()
        .keepalive_interval(Duration::from_millis(options.keepalive_interval_ms))
        .keepalive_timeout(Duration::from_millis(options.keepalive_timeout_ms))
        .schema_agreement_timeout(SCHEMA_AGREEMENT_TIMEOUT)
        .fetch_full_schema_metadata(false)
        // Where a row lies is asked for, but of Keyspaces, where each node leads to every row.
        .fetch_schema_metadata(options.aws_region.is_empty())
        .driver_config_reporting(false)
        .default_execution_profile_handle(profile(&options.data_centre).into_handle());
    if !options.data_centre.is_empty() {
        builder = builder.host_filter(Arc::new(DcHostFilter::new(options.data_centre.clone())));
    }
    if let Some(connections) = NonZeroUsize::new(options.connections_per_node) {
        builder = builder.pool_size(PoolSize::PerHost(connections));
    }
    if options.tls {
        builder = builder.tls_context(Some(tls::context(options, addresses).await?));
    }
    if !options.aws_region.is_empty() {
        let credentials = Arc::new(Held::from(sources, &options.aws_region).await?);
        // Now, so that their absence is told as such.
        credentials.current().await?;
        let region = options.aws_region.clone();
        builder =
            builder.authenticator_provider(Arc::new(sigv4::Authenticator { region, credentials }));
    } else if !options.user.is_empty() {
        builder = builder.user(&options.user, &options.password);
    }
    Ok(builder)
}

/// Requests go to replicas in `data_centre` (empty: any), and nowhere else.
fn profile(data_centre: &str) -> ExecutionProfile {
    let mut policy = DefaultPolicy::builder().token_aware(true).permit_dc_failover(false);
    if !data_centre.is_empty() {
        policy = policy.prefer_datacenter(data_centre.to_owned());
    }
    ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .load_balancing_policy(policy.build())
        .retry_policy(Arc::new(FallthroughRetryPolicy::new()))
        .request_timeout(None)
        .build()
}

/// Checks that the data centre exists; without one given, takes that of the first node.
async fn choose_data_centre(
    driver: &Driver,
    options: &Options,
    addresses: &[String],
) -> Result<(), Failure> {
    let state = driver.get_cluster_state();
    let known = state.get_nodes_info();
    let mut names: Vec<&str> = known.iter().filter_map(|node| node.datacenter.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    if options.data_centre.is_empty() {
        let first = match addresses.first() {
            Some(address) => nodes::resolve(address).await,
            None => Vec::new(),
        };
        let node = known.iter().find(|node| first.contains(&node.address.ip()));
        let chosen = node.and_then(|node| node.datacenter.as_deref());
        // Nodes may know themselves by other addresses than we do.
        if let Some(name) = chosen.or(names.first().copied().filter(|_| names.len() == 1)) {
            let profile = profile(name);
            driver.get_default_execution_profile_handle().clone().map_to_another_profile(profile);
        } else if names.len() > 1 {
            return Err(Failure::invalid(format!(
                "the cluster has the data centres {}; say which one is near",
                names.join(", ")
            )));
        }
    } else if !names.is_empty() && !names.contains(&options.data_centre.as_str()) {
        return Err(Failure::invalid(format!(
            "the cluster has no data centre {}, but {}",
            options.data_centre,
            names.join(", ")
        )));
    }
    Ok(())
}

pub fn driver_name() -> String {
    format!("scylla {}", env!("SCYLLA_VERSION"))
}

impl Session {
    pub fn execute(&self, cql: &str) -> Result<(), Failure> {
        let inner = &self.0;
        let driver = inner.engine.driver();
        // A change of the schema waits until all nodes have it.
        let limits = Limits { try_timeout: inner.limits.deadline, ..inner.limits() };
        let mut statement = Plain::new(cql);
        statement.set_is_idempotent(true);
        let statement = &statement;
        inner.engine.block_on(retry::run(&limits, None, None, || async move {
            driver.query_unpaged(statement.clone(), ()).await?;
            Ok(())
        }))
    }

    pub fn query(&self, cql: &str) -> Box<Reader> {
        self.reader(VecDeque::from([plain(cql, None)]))
    }

    pub fn query_each_node(&self, cql: &str) -> Box<Reader> {
        let state = self.0.engine.driver().get_cluster_state();
        let nodes = state.get_nodes_info().iter().filter(|node| node.is_connected());
        let questions = nodes.map(|node| {
            let target = NodeIdentifier::Node(node.clone());
            plain(cql, Some(SingleTargetLoadBalancingPolicy::new(target, None)))
        });
        self.reader(questions.collect())
    }

    fn reader(&self, questions: VecDeque<Question>) -> Box<Reader> {
        Box::new(Reader::new(self.0.engine.clone(), self.0.limits(), 1, questions))
    }

    /// All at the same time; they are numbered one after another from the number returned on.
    pub fn prepare(&self, texts: &[StatementText]) -> Result<usize, Failure> {
        let inner = &self.0;
        let preparing: Vec<_> = texts
            .iter()
            .map(|text| {
                let driver = inner.engine.driver().clone();
                let cql = text.cql.clone();
                let limits = inner.limits();
                inner.engine.spawn(async move {
                    let prepare = || async { Ok(driver.prepare(cql.as_str()).await?) };
                    retry::run(&limits, None, None, prepare).await
                })
            })
            .collect();
        let mut prepared = Vec::with_capacity(texts.len());
        for (text, task) in texts.iter().zip(preparing) {
            let statement = inner
                .engine
                .block_on(task)
                .unwrap_or_else(|error| Err(Failure::corrupt(error.to_string())))
                .map_err(|failure| {
                    failure.with_text(|error| format!("preparing {}: {error}", text.name))
                })?;
            prepared.push(Arc::new(inner.prepared(text, statement)));
        }
        let mut statements = inner.statements.write().unwrap_or_else(PoisonError::into_inner);
        let first = statements.len();
        statements.append(&mut prepared);
        Ok(first)
    }

    pub fn writer(&self, requests: usize, bytes: usize) -> Box<Writer> {
        Box::new(Writer::new(self.0.clone(), requests, bytes))
    }

    /// `deadline_ms` of each page; 0: as in the options.
    pub fn read(
        &self,
        statement: usize,
        keys: &[u8],
        count: usize,
        in_flight: usize,
        deadline_ms: u64,
    ) -> Result<Box<Reader>, Failure> {
        let statement = self.0.statement(statement)?;
        let mut questions = VecDeque::with_capacity(count);
        let mut rest = keys;
        for _ in 0..count {
            let (key, after) = split_row(rest, statement.columns).map_err(|error| {
                Failure::invalid(format!("reading by {}: {error}", statement.name))
            })?;
            questions
                .push_back(Question::Prepared { statement: statement.clone(), key: key.to_vec() });
            rest = after;
        }
        let mut limits = self.0.limits();
        if deadline_ms > 0 {
            limits.deadline = Duration::from_millis(deadline_ms);
        }
        let in_flight = if count > 1 { in_flight.max(1) } else { 1 };
        Ok(Box::new(Reader::new(self.0.engine.clone(), limits, in_flight, questions)))
    }

    /// Requests that begin from now on end so long after now.
    pub fn answer_within(&self, time_ms: u64) {
        let end = Instant::now() + Duration::from_millis(time_ms);
        *self.0.end.write().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    pub fn metrics(&self) -> Vec<StatementMetrics> {
        let statements = self.0.statements.read().unwrap_or_else(PoisonError::into_inner);
        statements.iter().map(|statement| statement.meter.report(&statement.name)).collect()
    }
}

/// A statement without values, at ONE, on any node or a certain one.
fn plain(cql: &str, policy: Option<Arc<dyn LoadBalancingPolicy>>) -> Question {
    let mut statement = Plain::new(cql);
    statement.set_is_idempotent(true);
    statement.set_consistency(Consistency::One);
    statement.set_load_balancing_policy(policy);
    Question::Plain(statement)
}
