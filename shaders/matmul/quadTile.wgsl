// A tile that four neighbouring lanes own together, TILE_ROWS x TILE_COLUMNS: lane l has every fourth column from l on.

// Comparisons with it fold when the pipeline is made; comparing with a uniform instead halves the speed.
override TILE_ROWS: u32 = 32;

// The lane's columns of one row, and of four rows. For TILE_COLUMNS 12: vec3f, mat4x3f; for 8: vec2f, mat4x2f.
const TILE_COLUMNS = 16u;
alias Columns = vec4f;
alias Four = mat4x4f;

// An index into fewer than four columns must be written to fit, even where never used.
const THIRD = min(2u, TILE_COLUMNS / 4u - 1u);
const FOURTH = min(3u, TILE_COLUMNS / 4u - 1u);

// Column r of the sum belongs to row (lane xor r) of its four: a swap by r brings that row's element of the left factor.
fn multiplyAdd(left: f32, right: Columns, sum: Four) -> Four {
  return Four(
    fma(Columns(left), right, sum[0]),
    fma(Columns(quadSwapX(left)), right, sum[1]),
    fma(Columns(quadSwapY(left)), right, sum[2]),
    fma(Columns(quadSwapDiagonal(left)), right, sum[3]),
  );
}

// Four steps of inner, so that a sum is fetched and put back once for four fma. right: the lane's columns, by step.
fn multiplyAddFour(left: vec4f, right: Four, sum: Four) -> Four {
  let one = multiplyAdd(left[0], right[0], sum);
  let two = multiplyAdd(left[1], right[1], one);
  let three = multiplyAdd(left[2], right[2], two);
  return multiplyAdd(left[3], right[3], three);
}
