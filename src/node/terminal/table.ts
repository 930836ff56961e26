/** Tables for terminals, as the library's own reports have them. */
export { alignColumns, digits, percent } from '../../profile/table.js';
