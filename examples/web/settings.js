// Where events go, without a / at the end, and the key of this site: all that there is to change.
export const collector = "http://127.0.0.1:4566/collect";
export const writeKey = "demo";
