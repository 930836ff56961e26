// The browser comes from --browser, the system, or @sparticuz/chromium: never from a download at install.
module.exports = { skipDownload: true };
