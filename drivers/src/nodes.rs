//! Nodes as users write them: `host`, `host:port`, `1.2.3.4`, `::1`, `[::1]:9042`.
use std::net::{IpAddr, Ipv6Addr};

use crate::failure::Failure;

/// `host:port` of each; `port` where none is given.
pub fn addresses(nodes: &[String], port: u16) -> Result<Vec<String>, Failure> {
    nodes.iter().map(|node| address(node, port)).collect()
}

fn address(node: &str, port: u16) -> Result<String, Failure> {
    if let Ok(ip) = node.parse::<Ipv6Addr>() {
        return Ok(format!("[{ip}]:{port}"));
    }
    if node.starts_with('[') && node.ends_with(']') || !node.contains(':') {
        return with_port(node, node, &port.to_string());
    }
    let (host, port) = node.rsplit_once(':').unwrap_or((node, ""));
    with_port(node, host, port)
}

fn with_port(node: &str, host: &str, port: &str) -> Result<String, Failure> {
    let bare = host_of(host);
    let is_name = !bare.is_empty() && !bare.contains([':', '[', ']', '/', ' ', '@']);
    if (is_name || bare.parse::<IpAddr>().is_ok()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    {
        return Ok(format!("{host}:{port}"));
    }
    // What stands before an @ may be a password.
    let shown = node.rsplit('@').next().unwrap_or(node);
    Err(Failure::invalid(format!("`{shown}` is no node; wanted host or host:port")))
}

/// The host of a `host` or `host:port` made by addresses(), without brackets.
pub fn host_of(address: &str) -> &str {
    let host = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => address,
    };
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// The IP addresses of a node now; none when its name is not known.
pub async fn resolve(address: &str) -> Vec<IpAddr> {
    match tokio::net::lookup_host(address).await {
        Ok(found) => found.map(|socket| socket.ip()).collect(),
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_filled_in() {
        for (node, want) in [
            ("cassandra-1", "cassandra-1:9042"),
            ("cassandra-1.example:9142", "cassandra-1.example:9142"),
            ("127.0.0.1", "127.0.0.1:9042"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("::1", "[::1]:9042"),
            ("[::1]", "[::1]:9042"),
            ("[::1]:65535", "[::1]:65535"),
        ] {
            assert_eq!(address(node, 9042).as_deref(), Ok(want));
        }
    }

    #[test]
    fn what_is_no_node_is_refused() {
        for node in ["", ":9042", "a:", "a:0", "a:65536", "a:b", "a b", "u@a", "[a:1", "a/b", "[]"]
        {
            assert!(address(node, 9042).is_err(), "{node}");
        }
    }

    #[test]
    fn the_host_is_found_again() {
        assert_eq!(host_of("[::1]:9042"), "::1");
        assert_eq!(host_of("127.0.0.1:9042"), "127.0.0.1");
        assert_eq!(host_of("cassandra-1:9042"), "cassandra-1");
    }
}
