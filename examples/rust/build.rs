// Ask pkg-config where the library is.
use std::process::Command;

fn main() {
    let asked = Command::new("pkg-config").args(["--libs", "depthprune"]).output().expect("pkg-config runs");
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(asked.status.success(), "pkg-config knows depthprune: {}", String::from_utf8_lossy(&asked.stderr));
    for word in text.split_whitespace() {
        if let Some(folder) = word.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={}", folder);
        } else if let Some(name) = word.strip_prefix("-l") {
            println!("cargo:rustc-link-lib={}", name);
        }
    }
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
}
