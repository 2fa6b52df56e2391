/** Made of feeds/*.toml by build.mjs. */
declare module "meterline:feeds" {
  const feeds: { name: string; title: string; columns: string[] }[];
  export default feeds;
}

declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  export default function SwaggerUI(options: {
    url: string;
    dom_id: string;
    deepLinking: boolean;
    defaultModelsExpandDepth: number;
    docExpansion: "list";
    validatorUrl: null;
  }): void;
}
