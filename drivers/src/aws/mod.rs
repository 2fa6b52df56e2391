//! The AWS SDK behind a narrow bridge. Only src/aws/ uses it; the headers there are the contract.
mod bridge;
mod failure;
mod objects;
mod parameters;
mod queue;
mod ranges;
mod session;
mod uploads;

#[cfg(test)]
mod objects_test;
#[cfg(test)]
mod services_test;
