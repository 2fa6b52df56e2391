//! Makes the C++ side of the bridges, and compiles it into the library.
use std::fs;

const BRIDGES: [&str; 3] = ["src/lib.rs", "src/aws/bridge.rs", "src/tables.rs"];

fn main() {
    cxx_build::bridges(BRIDGES).std("c++20").compile("meterline_drivers_bridge");
    for bridge in BRIDGES {
        println!("cargo:rerun-if-changed={bridge}");
    }
    println!("cargo:rerun-if-changed=Cargo.lock");
    println!("cargo:rustc-env=SCYLLA_VERSION={}", locked_version("scylla"));
}

/// The version of a crate in the lock file.
fn locked_version(name: &str) -> String {
    let lock = fs::read_to_string("Cargo.lock").expect("Cargo.lock lies beside Cargo.toml");
    let entry = format!("name = \"{name}\"\nversion = \"");
    let version = lock.split(&entry).nth(1).and_then(|rest| rest.split('"').next());
    version.unwrap_or_else(|| panic!("Cargo.lock has no {name}")).to_owned()
}
