// How a kernel says that its data is wrong, without anybody waiting for it: the host looks when it next reads a result.

// A word for each kind of complaint; 0 where there is none.
@group(0) @binding(7) var<storage, read_write> complaints: array<atomic<u32>>;

// `found`: a row, say; of several the least is heard of, whatever the order.
fn complain(word: u32, found: u32) { atomicMax(&complaints[word], 0xffffffffu - found); }
