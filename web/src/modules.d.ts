/** Made of feeds/*.toml by build.mjs. */
declare module "meterline:feeds" {
  const feeds: { name: string; title: string; columns: string[] }[];
  export default feeds;
}
