// What four lanes read of a row of b.
// include matmul/scalars.wgsl     b
// include matmul/quadTile.wgsl    TILE_COLUMNS, Columns, THIRD, FOURTH

// The lane's columns, from where each starts.
fn loadRow(at: vec4u, step: u32) -> Columns {
  var row = Columns();
  row[0] = b[at[0] + step];
  row[1] = b[at[1] + step];
  if (TILE_COLUMNS > 8u) { row[THIRD] = b[at[2] + step]; }
  if (TILE_COLUMNS > 12u) { row[FOURTH] = b[at[3] + step]; }
  return row;
}
